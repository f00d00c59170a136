// Step 2: copy a device to another one, with many requests outstanding.
//
//   copy_async aoe://eth1/e7.1 aoe://eth1/e7.2
//
// New against step 1: asynchronous calls, each of which calls back when it is done. A slot owns a
// buffer and carries one piece at a time: read, then write, then the next piece. Whoever calls back
// starts what comes next, so the main program has nothing to do but to wait.
#include <aoe/aoe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 32, PIECE_BYTES = 128 * 1024 };

struct copy {
  struct aoe_handle* from;
  struct aoe_handle* to;
  uint64_t size;
  uint64_t next;  // first byte that no slot has taken
  int failed;
};

struct slot {
  struct copy* copy;
  unsigned char* buffer;
  uint64_t offset;
  size_t bytes;
};

static void on_read(void* data, int error);
static void on_written(void* data, int error);

// The text belongs to this thread's last error, so it is printed where the error is seen.
static void note_failure(struct copy* copy) {
  if (!copy->failed) {
    fprintf(stderr, "copy_async: %s\n", aoe_get_error());
  }
  copy->failed = 1;
}

// Takes the next piece, if there is one. A slot that takes none is at rest for good.
static void start_piece(struct slot* slot) {
  struct copy* copy = slot->copy;
  uint64_t left = copy->size - copy->next;
  if (left == 0 || copy->failed) {
    return;
  }
  slot->offset = copy->next;
  slot->bytes = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
  copy->next += slot->bytes;
  if (aoe_aio_pread(copy->from, slot->buffer, slot->bytes, slot->offset, 0, on_read, slot) != 0) {
    note_failure(copy);
  }
}

static void on_read(void* data, int error) {
  struct slot* slot = data;
  struct copy* copy = slot->copy;
  if (error != 0 ||
      aoe_aio_pwrite(copy->to, slot->buffer, slot->bytes, slot->offset, 0, on_written, slot) != 0) {
    note_failure(copy);
  }
}

static void on_written(void* data, int error) {
  struct slot* slot = data;
  if (error != 0) {
    note_failure(slot->copy);
    return;
  }
  start_piece(slot);
}

static struct aoe_handle* open_or_exit(const char* uri, int read_only,
                                       struct aoe_handle* neighbour) {
  struct aoe_handle* disk = aoe_create();
  if (disk == NULL || aoe_set_read_only(disk, read_only) != 0 ||
      // Both behind the same interfaces: one network drives both, in one thread.
      (neighbour != NULL && aoe_share_network(disk, neighbour) != 0) || aoe_open(disk, uri) != 0) {
    fprintf(stderr, "copy_async: %s\n", aoe_get_error());
    exit(EXIT_FAILURE);
  }
  return disk;
}

int main(int argc, char** argv) {
  struct copy copy = {NULL, NULL, 0, 0, 0};
  struct slot slots[SLOTS];
  int i;

  if (argc != 3) {
    fprintf(stderr, "usage: copy_async aoe://INTERFACE/eFROM.SLOT aoe:eTO.SLOT\n");
    return 2;
  }
  copy.from = open_or_exit(argv[1], 1, NULL);
  copy.to = open_or_exit(argv[2], 0, copy.from);
  copy.size = (uint64_t)aoe_get_size(copy.from);
  if ((uint64_t)aoe_get_size(copy.to) < copy.size) {
    fprintf(stderr, "copy_async: %s is smaller than %s\n", argv[2], argv[1]);
    return EXIT_FAILURE;
  }
  for (i = 0; i < SLOTS; i++) {
    slots[i].copy = &copy;
    slots[i].buffer = malloc(PIECE_BYTES);
    if (slots[i].buffer == NULL) {
      fprintf(stderr, "copy_async: no memory left\n");
      return EXIT_FAILURE;
    }
    start_piece(&slots[i]);
  }
  // Each of the two waits for its own requests; the last one to come to rest ends both.
  while (aoe_in_flight(copy.from) > 0 || aoe_in_flight(copy.to) > 0) {
    if (aoe_poll(copy.from, -1) < 0) {
      note_failure(&copy);
      break;
    }
  }
  // Only now is it on the disk.
  if (!copy.failed && aoe_flush(copy.to, 0) != 0) {
    note_failure(&copy);
  }
  aoe_close(copy.to);
  aoe_close(copy.from);
  for (i = 0; i < SLOTS; i++) {
    free(slots[i].buffer);
  }
  if (!copy.failed) {
    printf("%llu bytes copied\n", (unsigned long long)copy.size);
  }
  return copy.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
