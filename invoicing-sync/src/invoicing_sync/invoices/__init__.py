"""Invoices: periods freeze, and the gate finalises."""
