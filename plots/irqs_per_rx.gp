# Interrupts per received packet against offered load.
# usage: gnuplot -c irqs_per_rx.gp TABLE.tsv OUT.svg|pdf|png
tsv = ARG1; out = ARG2; WIDTH = 3.4; HEIGHT = 2.5
here = system("dirname '".ARG0."'")
load here."/style.gp"
load here."/axes.gp"
METRIC = "irqs_per_rx"
YLABEL = "interrupts per received packet"
load here."/ratio.gp"
