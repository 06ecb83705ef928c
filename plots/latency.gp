# Latency percentiles against offered load: one panel per percentile, same axes.
# The table already lacks percentiles of lossy points; the note says how many.
# usage: gnuplot -c latency.gp TABLE.tsv OUT.svg|pdf|png
tsv = ARG1; out = ARG2; WIDTH = 7.0; HEIGHT = 2.7
here = system("dirname '".ARG0."'")
load here."/style.gp"
load here."/axes.gp"
key_left = 0.20; key_width = 0.62
load here."/topkey.gp"
array name[3] = ["p50", "p99", "p99.9"]
array metric[3] = ["p50_us", "p99_us", "p999_us"]
if (strlen(note)) set label 1004 note at screen 0.01,note_y font small textcolor rgb "#808080"
have = metanum("points") > 0
set logscale y
if (have) { set yrange [low/1.6 : high*1.6] } else { set yrange [1:10] }
set bmargin at screen bottom + note_y - foot
set tmargin at screen top

left(p) = 0.075 + (p-1)*0.310
set multiplot
do for [p=1:3] {
    set lmargin at screen left(p)
    set rmargin at screen left(p) + 0.295
    set label 20 name[p] at graph 0.03,0.95 left
    if (p == 1) { set ylabel "latency [us]" }
    if (p > 1) { unset ylabel }
    # Decades plus, where the span is short, 2 and 5; numbers at the first panel only.
    set ytics ()
    if (have) { do for [d=floor(log10(low))-1:ceil(log10(high))] { do for [s in steps] {
        if (s*10.0**d >= low/1.6 && s*10.0**d <= high*1.6) { set ytics add ((p == 1 ? sprintf("%g", s*10.0**d) : "") s*10.0**d) } } } }
    if (p > 1) { do for [i=1001:1004] { set label i "" } }
    if (p > 1) { do for [i=1:nmodes] { do for [e=0:1] { unset label 100+2*i+e; unset arrow 100+2*i+e } } }
    if (!have) {
        set label 13 "not measured in this sweep" at graph 0.5,0.5 center
        plot NaN
    } else {
        plot for [i=1:nmodes] for [e=0:1] tsv \
            using (column("offered_pps")):(pick(mode_name(i), 1-e, column(metric[p]))):(column(metric[p]."_min")):(column(metric[p]."_max")) \
            with yerrorlines lt mode_lt(mode_name(i)) dt curve_dt(1-e) pt curve_pt(mode_name(i), 1-e) ps curve_ps(1-e)
    }
}
unset multiplot
