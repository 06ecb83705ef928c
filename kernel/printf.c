#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include "console.h"
#include "string.h"

struct out {
    char *buf;
    size_t size;
    size_t length; /* of the whole text, even when it does not fit */
};

struct spec {
    bool left, zero, alternate, sign;
    int width, precision; /* -1 = none */
    int longs;            /* 0 int, 1 or more 64 bit, -1 short, -2 char */
};

static void put(struct out *o, char c)
{
    if (o->length + 1 < o->size)
        o->buf[o->length] = c;
    o->length++;
}

static void pad(struct out *o, char c, int n)
{
    while (n-- > 0)
        put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text, size_t n)
{
    int fill = s->width - (int)n;

    if (!s->left)
        pad(o, ' ', fill);
    for (size_t i = 0; i < n; i++)
        put(o, text[i]);
    if (s->left)
        pad(o, ' ', fill);
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned base, bool upper,
                       const char *prefix)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[24];
    int n = 0;

    do
        text[n++] = digits[v % base];
    while (v /= base);

    int zeros = s->precision > n ? s->precision - n : 0;
    int fill = s->width - n - zeros - (int)strlen(prefix);
    if (s->zero && !s->left && s->precision < 0 && fill > 0) {
        zeros += fill;
        fill = 0;
    }
    if (!s->left)
        pad(o, ' ', fill);
    while (*prefix)
        put(o, *prefix++);
    pad(o, '0', zeros);
    while (n > 0)
        put(o, text[--n]);
    if (s->left)
        pad(o, ' ', fill);
}

static int parse_int(const char **fmt, va_list *ap)
{
    int n = 0;

    if (**fmt == '*') {
        (*fmt)++;
        return va_arg(*ap, int);
    }
    while (**fmt >= '0' && **fmt <= '9')
        n = n * 10 + *(*fmt)++ - '0';
    return n;
}

static void parse_spec(struct spec *s, const char **fmt, va_list *ap)
{
    *s = (struct spec){ .precision = -1 };
    for (;; (*fmt)++) {
        if (**fmt == '-')
            s->left = true;
        else if (**fmt == '0')
            s->zero = true;
        else if (**fmt == '#')
            s->alternate = true;
        else if (**fmt == '+')
            s->sign = true;
        else
            break;
    }
    s->width = parse_int(fmt, ap);
    if (s->width < 0) {
        s->left = true;
        s->width = -s->width;
    }
    if (**fmt == '.') {
        (*fmt)++;
        s->precision = parse_int(fmt, ap);
    }
    for (; **fmt == 'l' || **fmt == 'z'; (*fmt)++)
        s->longs++;
    for (; **fmt == 'h'; (*fmt)++)
        s->longs--;
}

static int64_t signed_arg(const struct spec *s, va_list *ap)
{
    if (s->longs > 0)
        return va_arg(*ap, int64_t);
    int v = va_arg(*ap, int);
    return s->longs == -1 ? (int16_t)v : s->longs < -1 ? (int8_t)v : v;
}

static uint64_t unsigned_arg(const struct spec *s, va_list *ap)
{
    if (s->longs > 0)
        return va_arg(*ap, uint64_t);
    unsigned v = va_arg(*ap, unsigned);
    return s->longs == -1 ? (uint16_t)v : s->longs < -1 ? (uint8_t)v : v;
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
    if (!text)
        text = "(null)";
    put_text(o, s, text, s->precision >= 0 ? strnlen(text, (size_t)s->precision) : strlen(text));
}

static void put_signed(struct out *o, const struct spec *s, int64_t v)
{
    const char *prefix = v < 0 ? "-" : s->sign ? "+" : "";
    put_number(o, s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, false, prefix);
}

static void convert(struct out *o, const struct spec *s, char conversion, va_list *ap)
{
    char c;

    switch (conversion) {
    case 'd':
    case 'i':
        put_signed(o, s, signed_arg(s, ap));
        break;
    case 'u':
        put_number(o, s, unsigned_arg(s, ap), 10, false, "");
        break;
    case 'x':
    case 'X':
        put_number(o, s, unsigned_arg(s, ap), 16, conversion == 'X', s->alternate ? "0x" : "");
        break;
    case 'p':
        put_number(o, s, (uint64_t)va_arg(*ap, void *), 16, false, "0x");
        break;
    case 'c':
        c = (char)va_arg(*ap, int);
        put_text(o, s, &c, 1);
        break;
    case 's':
        put_string(o, s, va_arg(*ap, const char *));
        break;
    default:
        put(o, '%');
        put(o, conversion);
    }
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out o = { buf, size, 0 };
    struct spec s;
    va_list ap;

    va_copy(ap, args);
    while (*fmt) {
        if (*fmt != '%') {
            put(&o, *fmt++);
            continue;
        }
        fmt++;
        if (*fmt == '%') {
            put(&o, *fmt++);
            continue;
        }
        parse_spec(&s, &fmt, &ap);
        if (*fmt)
            convert(&o, &s, *fmt++, &ap);
    }
    va_end(ap);
    if (size)
        buf[o.length < size ? o.length : size - 1] = 0;
    return (int)o.length;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}
