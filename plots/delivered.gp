# Delivered against offered load, with the diagonal of a perfect receiver, and below it the
# share that arrived: on logarithmic axes a loss of a tenth is too thin to see.
# usage: gnuplot -c delivered.gp TABLE.tsv OUT.svg|pdf|png
tsv = ARG1; out = ARG2; WIDTH = 3.4; HEIGHT = 3.0
here = system("dirname '".ARG0."'")
load here."/style.gp"
load here."/axes.gp"
load here."/topkey.gp"
have = metanum("points") > 0
lossmax = metanum("lossmax")
split_y = bottom + (top - bottom)*0.30
set lmargin at screen 0.145
set rmargin at screen 0.97

set multiplot
set tmargin at screen top
set bmargin at screen split_y + 0.03
set logscale y
set ylabel "delivered [frames/s]"
unset xlabel
# Tics at the loads on both axes, so that the diagonal can be checked by eye.
floor_y = have && low < xlo ? low : xlo
set yrange [floor_y/1.35 : (high > xhi ? high : xhi)*1.35]
if (words(loads) <= 6) { set xtics (); set ytics () } else { set xtics format ""; set ytics format "%.0s %c" }
if (words(loads) <= 6) do for [i=1:words(loads)] {
    set xtics add ("" word(loads,i)+0.0)
    set ytics add (short(word(loads,i)+0.0) word(loads,i)+0.0) }
set label 12 "diagonal: delivered = offered" at graph 0.98,0.06 right font small textcolor rgb "#808080"
if (!have) set label 13 "not measured in this sweep" at graph 0.5,0.5 center
if (!have) plot x with lines lc rgb "#808080" lw 0.8 dt 4
if (have) plot x with lines lc rgb "#808080" lw 0.8 dt 4, \
    for [i=1:nmodes] for [e=0:1] tsv \
    using (column("offered_pps")):(pick(mode_name(i), 1-e, column("delivered_pps"))):(column("delivered_pps_min")):(column("delivered_pps_max")) \
    with yerrorlines lt mode_lt(mode_name(i)) dt curve_dt(1-e) pt curve_pt(mode_name(i), 1-e) ps curve_ps(1-e)

# Once is enough for captions and legend.
set for [i=1001:1004] label i ""
unset label 12; unset label 13
do for [i=1:nmodes] { do for [e=0:1] { unset label 100+2*i+e; unset arrow 100+2*i+e } }
set tmargin at screen split_y - 0.01
set bmargin at screen bottom
unset logscale y
set ylabel "arrived [%]"
set xlabel "offered load [frames/s]"
if (words(loads) <= 6) { set xtics () } else { set xtics format "%.0s %c" }
if (words(loads) <= 6) do for [i=1:words(loads)] { set xtics add (short(word(loads,i)+0.0) word(loads,i)+0.0) }
floor_share = 100 - 1.25*(lossmax > 4 ? lossmax : 4)
set yrange [floor_share < 0 ? 0 : floor_share : 102]
set ytics auto format "%g"
set ytics lossmax > 40 ? 50 : lossmax > 10 ? 10 : lossmax > 4 ? 5 : 2
if (!have) plot NaN
if (have) plot for [i=1:nmodes] for [e=0:1] tsv \
    using (column("offered_pps")):(pick(mode_name(i), 1-e, 100-column("loss_pct"))):(100-column("loss_pct_max")):(100-column("loss_pct_min")) \
    with yerrorlines lt mode_lt(mode_name(i)) dt curve_dt(1-e) pt curve_pt(mode_name(i), 1-e) ps curve_ps(1-e)
unset multiplot
