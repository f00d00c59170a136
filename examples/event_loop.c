// Step 3: a device inside an event loop of the program's own.
//
//   event_loop aoe://eth1/e7.1 <<END
//   write 1000 hello
//   read 1000 5
//   flush
//   size
//   END
//
// New against step 2: the program has other things to listen to (here: its standard input), so it
// waits in epoll_wait() and not in the library. One descriptor says everything about the device,
// timers included; opening does not wait either. Commands are carried out as they come, several at
// a time, so their answers may come in another order; "wait" lets the earlier ones finish first.
#define _POSIX_C_SOURCE 200809L
#include <aoe/aoe.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

struct program {
  struct aoe_handle* disk;
  int poller;
  int reading;  // standard input is being listened to
  int waiting;  // for outstanding commands, before the next line
  int status;
  char line[LINE_MAX_BYTES];
  size_t length;
};

// One command under way. It outlives its line, and is freed by its callback.
struct command {
  struct program* program;
  char name[8];
  uint64_t offset;
  size_t count;
  char data[LINE_MAX_BYTES];
};

static void listen_to(int poller, int fd) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) {
    perror("event_loop: epoll_ctl");
    exit(EXIT_FAILURE);
  }
}

static void report_failure(struct program* program) {
  printf("error: %s\n", aoe_get_error());
  program->status = EXIT_FAILURE;
}

static void on_done(void* data, int error) {
  struct command* command = data;
  if (error != 0) {
    report_failure(command->program);
  } else if (strcmp(command->name, "read") == 0) {
    printf("read %" PRIu64 ": %.*s\n", command->offset, (int)command->count, command->data);
  } else {
    printf("%s: done\n", command->name);
  }
  free(command);
}

static void on_open(void* data, int error) {
  struct program* program = data;
  if (error != 0) {
    report_failure(program);
    return;
  }
  program->reading = 1;
  listen_to(program->poller, STDIN_FILENO);
  printf("open: %" PRId64 " bytes\n", aoe_get_size(program->disk));
}

static void on_size(void* data, int64_t size) {
  (void)data;
  printf("size is now %" PRId64 "\n", size);
}

static void run_line(struct program* program, char* line) {
  struct aoe_handle* disk = program->disk;
  struct command* command = calloc(1, sizeof *command);
  int started = -1;
  if (command == NULL) {
    exit(EXIT_FAILURE);
  }
  command->program = program;
  if (sscanf(line, "write %" SCNu64 " %4095[^\n]", &command->offset, command->data) == 2) {
    strcpy(command->name, "write");
    started = aoe_aio_pwrite(disk, command->data, strlen(command->data), command->offset, 0,
                             on_done, command);
  } else if (sscanf(line, "read %" SCNu64 " %zu", &command->offset, &command->count) == 2 &&
             command->count <= sizeof command->data) {
    strcpy(command->name, "read");
    started =
        aoe_aio_pread(disk, command->data, command->count, command->offset, 0, on_done, command);
  } else if (strcmp(line, "flush") == 0) {
    strcpy(command->name, "flush");
    started = aoe_aio_flush(disk, 0, on_done, command);
  } else {
    if (strcmp(line, "size") == 0) {
      printf("size: %" PRId64 "\n", aoe_get_size(disk));
    } else if (strcmp(line, "wait") == 0) {
      program->waiting = aoe_in_flight(disk) > 0;
    } else {
      printf("error: %s: unknown command\n", line);
      program->status = EXIT_FAILURE;
    }
    free(command);
    return;
  }
  if (started != 0) {
    report_failure(program);
    free(command);
  }
}

// Carries out whole lines; a rest stays for later.
static void run_lines(struct program* program) {
  char* end;
  while (!program->waiting && (end = memchr(program->line, '\n', program->length)) != NULL) {
    size_t used = (size_t)(end - program->line) + 1;
    char line[LINE_MAX_BYTES];
    memcpy(line, program->line, used);
    line[used - 1] = '\0';
    program->length -= used;
    memmove(program->line, program->line + used, program->length);
    run_line(program, line);
  }
}

static void stop_reading(struct program* program) {
  program->reading = 0;
  epoll_ctl(program->poller, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
}

static void read_input(struct program* program) {
  ssize_t got =
      read(STDIN_FILENO, program->line + program->length, sizeof program->line - program->length);
  if (got > 0) {
    program->length += (size_t)got;
    run_lines(program);
  }
  if (got <= 0 || program->length == sizeof program->line) {
    stop_reading(program);
  }
}

// The loop. It ends when nothing is left to listen to and to wait for.
static void run(struct program* program) {
  int disk_fd = aoe_get_fd(program->disk);
  listen_to(program->poller, disk_fd);
  while (program->reading || aoe_in_flight(program->disk) > 0) {
    struct epoll_event event;
    if (epoll_wait(program->poller, &event, 1, -1) != 1) {
      continue;
    }
    if (event.data.fd == disk_fd) {
      if (aoe_process(program->disk) < 0) {
        report_failure(program);
        return;
      }
      if (program->waiting && aoe_in_flight(program->disk) == 0) {
        program->waiting = 0;
        run_lines(program);
      }
    } else {
      read_input(program);
    }
  }
}

int main(int argc, char** argv) {
  static struct program program;
  if (argc != 2) {
    fprintf(stderr, "usage: event_loop aoe://INTERFACE/eSHELF.SLOT <COMMANDS\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  program.poller = epoll_create1(EPOLL_CLOEXEC);
  program.disk = aoe_create();
  if (program.poller < 0 || program.disk == NULL) {
    fprintf(stderr, "event_loop: no memory or descriptor left\n");
    return EXIT_FAILURE;
  }
  if (aoe_set_size_callback(program.disk, on_size, NULL) != 0 ||
      aoe_aio_open(program.disk, argv[1], on_open, &program) != 0) {
    report_failure(&program);
  } else {
    run(&program);
  }
  aoe_close(program.disk);
  close(program.poller);
  return program.status;
}
