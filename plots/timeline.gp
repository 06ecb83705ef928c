# Swim-lanes of one notification: publish, kick, vhost service, call, irq, harvest.
# usage: gnuplot -c timeline.gp TABLE.tsv OUT.svg|pdf|png
tsv = ARG1; out = ARG2; WIDTH = 7.0; HEIGHT = 2.7
here = system("dirname '".ARG0."'")
load here."/style.gp"
span = metanum("span") > 0 ? metanum("span") : 1.0
bound = metanum("bound")
unset key
set border 1
unset ytics
set grid noytics
set xlabel "time since publish [us]"
set bmargin at screen bottom + note_y - foot
set tmargin at screen 1 - 0.12/HEIGHT
set lmargin at screen 0.13
set rmargin at screen 0.98
set yrange [0.55:6.65]
# Room at the right for the label of the last lane.
set xrange [-span*0.02 : span*1.30]

do for [i=1:6] { set label 30+i word("harvest irq call vhost_service kick publish", i) at graph -0.012,first i right }
set label 34 "vhost service" at graph -0.012,first 4 right
# The host's two lanes share a backdrop: what lies on it was stamped by the other clock.
set object 1 rectangle from graph 0,first 2.5 to graph 1,first 4.5 behind fillcolor rgb "#808080" fillstyle solid 0.12 noborder
set label 40 "host" at graph 0.995,first 4.28 right font small textcolor rgb "#808080"
set label 41 "guest" at graph 0.995,first 6.28 right font small textcolor rgb "#808080"
set label 42 "guest" at graph 0.995,first 2.28 right font small textcolor rgb "#808080"
bound_note = bound >= 0 ? sprintf("clocks agree within +/- %.3g us: the bars under the host lanes", bound) : "clock bound unknown: do not read the order of guest and host lanes off this figure"
set label 1004 bound_note at screen 0.01,note_y font small textcolor rgb "#808080"

# A lane shorter than this would vanish; it is widened, and its label has the true length.
least = span*0.006
side_lt(s) = s eq "host" ? 7 : 6
shown(a, b) = b-a < least ? a+least : b
h = 0.20
onhost(v) = strcol("side") eq "host" && bound > 0 ? v : NaN
# An arrow leaves where its lane ends and lands where the next begins.
px = NaN; py = NaN
stepx(a, b) = (qx = px, px = b, qx)
set style arrow 1 head filled size screen 0.008,18 lc rgb "#808080" lw 0.8
plot tsv using (column("start_us")):(column("y")):(column("start_us")):(shown(column("start_us"), column("end_us"))):(column("y")-h):(column("y")+h):(side_lt(strcol("side"))) \
        with boxxyerror fillstyle solid 0.75 noborder lc variable, \
     tsv using (stepx(column("start_us"), column("end_us"))):(qy = py, py = column("y"), qy-h):(column("start_us")-qx):(py+h-qy+h) \
        with vectors arrowstyle 1, \
     tsv using (onhost(column("start_us"))):(column("y")-h-0.10):(bound) with xerrorbars lt 7 lw 0.8 pt -1, \
     tsv using (shown(column("start_us"), column("end_us")) + span*0.008):(column("y")):(strcol("label")) with labels left font small
