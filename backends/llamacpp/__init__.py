"""llama.cpp (llama-cpp-python, an optional extra) in worker processes of ours.

The app's side is here and imports neither; what imports llama_cpp and gguf is in `worker`.
"""
