"""What learning minimises: functions of logits and labels, without state."""
