// Step 1: open a device and print one sector.
//
//   read_sector aoe://eth1/e7.1 [SECTOR]
//
// Every call here waits until it is done, so there is nothing to drive and nothing to poll.
#include <aoe/aoe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECTOR_BYTES = 512, LINE_BYTES = 16 };

static void print_line(uint64_t offset, const unsigned char* bytes) {
  int i;
  printf("%08llx ", (unsigned long long)offset);
  for (i = 0; i < LINE_BYTES; i++) {
    printf(" %02x", bytes[i]);
  }
  printf("  ");
  for (i = 0; i < LINE_BYTES; i++) {
    putchar(bytes[i] >= 32 && bytes[i] < 127 ? bytes[i] : '.');
  }
  putchar('\n');
}

// One place for all errors: the text says which call failed, on what, and why.
static int failed(struct aoe_handle* disk) {
  fprintf(stderr, "read_sector: %s\n", aoe_get_error());
  aoe_close(disk);
  return EXIT_FAILURE;
}

int main(int argc, char** argv) {
  unsigned char sector[SECTOR_BYTES];
  uint64_t offset;
  struct aoe_handle* disk;
  int i;

  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: read_sector aoe://INTERFACE/eSHELF.SLOT [SECTOR]\n");
    return 2;
  }
  offset = argc == 3 ? strtoull(argv[2], NULL, 0) * SECTOR_BYTES : 0;

  disk = aoe_create();
  if (disk == NULL || aoe_set_read_only(disk, 1) != 0 || aoe_open(disk, argv[1]) != 0 ||
      aoe_pread(disk, sector, sizeof sector, offset, 0) != 0) {
    return failed(disk);
  }
  for (i = 0; i < SECTOR_BYTES; i += LINE_BYTES) {
    print_line(offset + (uint64_t)i, sector + i);
  }
  aoe_close(disk);
  return EXIT_SUCCESS;
}
