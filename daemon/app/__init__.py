"""The roof: builds every object, starts and drains the chosen roles.

Knows all three folders; nothing imports it but the commands.
"""
