"""The bus on Apache Kafka: exactly once between topics, by one fenced transactional producer for each partition held.

    bus ─▶ topics (made or checked once)
     ├─▶ publisher                                  plain records, from any process
     ├─▶ member (one a group) ─▶ offer ─▶ lease     fence ─▶ position ─▶ rows restored ─▶ read ─▶ commit
     └─▶ history                                    reading without position, for people

Only these files know aiokafka. Each trap they avoid stands in delivery.md, “The Kafka loop”, and has a test.
"""
