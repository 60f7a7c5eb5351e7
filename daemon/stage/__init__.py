"""The one runner of hops: nobody else consumes, commits or dead-letters.

lease ─▶ records ┐
work  ─▶ results ┼─▶ one step: prepare ─▶ decide │ done │ wake ─▶ commit {out, rows, position} ─▶ work starts, facts count
rows  ─▶ wakes   ┘
"""
