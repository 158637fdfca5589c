"""What people and scripts read: texts, Markdown and JSON made of a cycle's report."""
