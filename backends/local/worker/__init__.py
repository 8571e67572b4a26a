"""What runs inside a worker process: torch and transformers live here and nowhere else."""
