"""The service's own HTTP: /metrics, /healthz (alive), /readyz (working)."""
