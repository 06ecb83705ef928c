# Kicks (doorbell writes) per transmitted packet against offered load.
# usage: gnuplot -c kicks_per_tx.gp TABLE.tsv OUT.svg|pdf|png
tsv = ARG1; out = ARG2; WIDTH = 3.4; HEIGHT = 2.5
here = system("dirname '".ARG0."'")
load here."/style.gp"
load here."/axes.gp"
METRIC = "kicks_per_tx"
YLABEL = "kicks per transmitted packet"
load here."/ratio.gp"
