# nm -n output of the kernel -> assembly of its table of functions (symbols.h).
$2 ~ /^[tT]$/ && $3 !~ /^(__text_start|__text_end)$/ { address[n] = $1; name[n++] = $3 }

END {
    print "    .section .ksyms, \"a\", @progbits"
    print "    .align 8"
    print "    .globl ksyms, ksyms_count"
    print "ksyms_count: .quad " n + 0
    print "ksyms:"
    for (i = 0; i < n; i++)
        print "    .quad 0x" address[i] ", 2" i "f" # numeric labels are local
    for (i = 0; i < n; i++)
        print "2" i ": .asciz \"" name[i] "\""
    print "    .section .note.GNU-stack, \"\", @progbits"
}
