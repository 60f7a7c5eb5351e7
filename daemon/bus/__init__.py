"""The bus: records in order per lane, rows beside them, both committed together.

`base` is the contract, the rest are engines.
"""
