"""fxaudit beside what else pip can install: 23 small faulty programs, each tool used as its own documentation says.

python -m benchmarks.compared        # or `make compare`; writes docs/comparison.md
"""
