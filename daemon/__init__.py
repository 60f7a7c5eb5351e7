"""Runs and polls: the roof, the runner, the bus and hop 1.

Shared pieces live here; `consumers` and `alerts` import downward only.
"""
