"""Code that runs in worker processes: the only part that may import llama_cpp and gguf."""
