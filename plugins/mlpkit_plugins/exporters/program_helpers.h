/* Functions of a program that computes rows with a model; WIDTH is the bytes of the longest text, plus one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void read_numbers(void *to, size_t bytes)
{
    if (fread(to, 1, bytes, stdin) != bytes) {
        exit(2);
    }
}

const char *read_text(void)
{
    char *text = malloc(WIDTH);
    read_numbers(text, WIDTH);
    return text;
}

void write_numbers(const void *from, size_t bytes)
{
    if (fwrite(from, 1, bytes, stdout) != bytes) {
        exit(2);
    }
}

void write_text(const char *text)
{
    char bytes[WIDTH] = {0};
    const size_t length = strlen(text);
    memcpy(bytes, text, length < WIDTH ? length : WIDTH - 1);
    write_numbers(bytes, WIDTH);
}
