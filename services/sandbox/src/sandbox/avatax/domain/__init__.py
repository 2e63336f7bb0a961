"""What AvaTax decides by rule: values in, values out."""
