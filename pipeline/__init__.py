"""From an office's table of initiatives to duplicates, labels and a workbook.

The path: read → normalize → segment → dedupe → classify → report.
"""
