"""`python -m backends.llamacpp.worker.bare FILE THREADS CONTEXT own|mapped`: what our engine is
compared with.

A plain llama-cpp-python loop in a fresh process, with nothing of ours; the weights in its own
memory as ours are, or mapped from the file as the library does by itself. Reads {"ids": [...],
"tokens": n} from stdin, one JSON object a line, generates so many greedy tokens after the ids, and
answers {"ns": ...}. Ends when stdin does.
"""

from __future__ import annotations

import itertools
import json
import sys
import time

import llama_cpp


def main(file: str, threads: int, context: int, *, is_mapped: bool) -> None:
    llama = llama_cpp.Llama(
        file,
        n_ctx=context,
        n_threads=threads,
        n_threads_batch=threads,
        flash_attn=True,
        use_mmap=is_mapped,
        verbose=False,
    )
    for line in sys.stdin:
        order = json.loads(line)
        llama.reset()
        started_ns = time.monotonic_ns()
        tokens = llama.generate(order["ids"], temp=0.0, repeat_penalty=1.0)
        for _ in itertools.islice(tokens, order["tokens"]):
            pass
        took_ns = time.monotonic_ns() - started_ns
        sys.stdout.write(json.dumps({"ns": took_ns}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), is_mapped=sys.argv[4] == "mapped")
