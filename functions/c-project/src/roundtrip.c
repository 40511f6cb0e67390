/* Compresses a text, restores it, and prints what a reader can check. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

int main(void) {
    char text[4096], restored[sizeof text];
    unsigned char packed[sizeof text];
    uLongf n_packed = sizeof packed, n_restored = sizeof restored;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "the quick brown fox jumps over the lazy dog "[i % 44];
    if (strcmp(zlibVersion(), ZLIB_VERSION) != 0) {
        fprintf(stderr, "header of %s, library of %s\n", ZLIB_VERSION, zlibVersion());
        return 1;
    }
    if (compress(packed, &n_packed, (const Bytef *)text, sizeof text) != Z_OK) {
        fprintf(stderr, "the text cannot be compressed\n");
        return 1;
    }
    if (uncompress((Bytef *)restored, &n_restored, packed, n_packed) != Z_OK
        || n_restored != sizeof text || memcmp(text, restored, sizeof text) != 0) {
        fprintf(stderr, "the restored text differs\n");
        return 1;
    }
    printf("zlib %s: %zu bytes became %lu and %lu again\n", zlibVersion(), sizeof text, n_packed, n_restored);
    return 0;
}
