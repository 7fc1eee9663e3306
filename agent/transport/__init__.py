"""The box's line to central: asks and replies, batches and receipts, over MQTT 5."""
