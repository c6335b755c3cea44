"""From an office's table of initiatives to duplicates, labels and a workbook.

The path: read → normalize → segment → dedupe → classify → report. Each step is a module of that name;
`flow.run` calls them in order, `starter` gives the models a run needs, and `cli` is what a terminal sees::

    read.tables(paths)                     files → a batch, with an account of every row
    normalize.frame(batch)                 one spelling for every text
    segment.column(texts)                  Vietnamese words
    dedupe.corpus(new, archive, …)         numbers, then `dedupe.find` the pairs and `dedupe.explain` them
    classify.label(model, batch, name=…)   a field for each, and when a person must look
    report.publish(outcome, folder)        every output, whole or not at all
"""
