// The server with a socket in the place of /dev/fuse and a disk in memory behind it.
#include "frontends/fuse/server.h"

#include "os/fd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace aoe::fuse {
namespace {

using client::IoCompletion;
using client::IoOp;
using client::IoRequest;
using client::IoStatus;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
constexpr std::uint64_t kSectors = 16;
constexpr std::uint64_t kBytes = kSectors * kSectorBytes;

// Holds requests until the test lets them go.
class FakeBackend final : public Backend {
 public:
  std::optional<Volume> volume(DeviceAddress address) override {
    return address == kE71 && there ? std::optional(disk) : std::nullopt;
  }

  std::optional<DeviceAddress> next_volume(std::optional<DeviceAddress> after) override {
    return !after && there ? std::optional(kE71) : std::nullopt;
  }

  int open(DeviceAddress /*address*/) override {
    ++opens;
    return 0;
  }

  void release(DeviceAddress /*address*/) override { --opens; }

  int submit(DeviceAddress /*address*/, const IoRequest& request) override {
    if (refuse != 0) {
      return refuse;
    }
    waiting.push_back(request);
    return 0;
  }

  void completed(DeviceAddress /*address*/, const IoCompletion& completion) override {
    ended.push_back(completion.op);
  }

  std::string read_info(DeviceAddress /*address*/, InfoFile file) override {
    return file == InfoFile::state ? "up\n" : "none\n";
  }

  std::string read_control(ControlFile /*file*/) override { return "eth1 eth2\n"; }

  int write_control(ControlFile file, std::string_view text) override {
    written = std::to_string(static_cast<int>(file)) + ":" + std::string(text);
    return text == "bad" ? EINVAL : 0;
  }

  std::uint64_t last_event() override { return events.size(); }

  std::optional<Event> next_event(std::uint64_t after) override {
    if (after >= events.size()) {
      return std::nullopt;
    }
    return Event{.number = after + 1, .line = events[after]};
  }

  // Carries the oldest request out on the memory.
  IoCompletion run_one(IoStatus status = IoStatus::ok) {
    const IoRequest request = waiting.front();
    waiting.pop_front();
    const std::size_t at = request.lba.value * kSectorBytes;
    if (status == IoStatus::ok && request.op == IoOp::read) {
      copy_bytes(request.read_into, ConstByteSpan(content).subspan(at, request.read_into.size()));
    }
    if (status == IoStatus::ok && request.op == IoOp::write) {
      copy_bytes(ByteSpan(content).subspan(at), request.write_from);
    }
    IoCompletion completion;
    completion.cookie = request.cookie;
    completion.op = request.op;
    completion.status = status;
    return completion;
  }

  Volume disk{.sectors = kSectors, .is_read_only = false, .discard_reads_zero = true};
  bool there = true;
  int refuse = 0;
  int opens = 0;
  std::vector<std::byte> content = std::vector<std::byte>(kBytes, std::byte{'.'});
  std::deque<IoRequest> waiting;
  std::vector<IoOp> ended;
  std::string written;
  std::vector<std::string> events;
};

struct Answer {
  int os_errno = 0;
  std::string body;

  template <class Out>
  [[nodiscard]] Out as() const {
    Out out{};
    EXPECT_EQ(body.size(), sizeof out);
    std::memcpy(&out, body.data(), std::min(body.size(), sizeof out));
    return out;
  }
};

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
    kernel = os::Fd(ends[0]);
    ours = os::Fd(ends[1]);
    server = *Server::create(ours.get(), backend, {.slots = 4, .io_bytes_max = 16384});
  }

  template <class In>
  std::uint64_t send(std::uint32_t opcode, const Node& node, const In& in,
                     std::string_view behind = {}) {
    return send_bytes(
        opcode, node_id(node),
        std::string(reinterpret_cast<const char*>(&in), sizeof in) + std::string(behind));
  }

  std::uint64_t send_bytes(std::uint32_t opcode, std::uint64_t id, const std::string& body) {
    fuse_in_header header{};
    header.len = static_cast<std::uint32_t>(sizeof header + body.size());
    header.opcode = opcode;
    header.unique = ++last_unique;
    header.nodeid = id;
    std::string message(reinterpret_cast<const char*>(&header), sizeof header);
    message += body;
    EXPECT_EQ(::write(kernel.get(), message.data(), message.size()),
              static_cast<ssize_t>(message.size()));
    return last_unique;
  }

  // Takes what the server has answered so far.
  void take_answers() {
    std::array<char, 65536> bytes{};
    ssize_t count = 0;
    while ((count = ::read(kernel.get(), bytes.data(), bytes.size())) > 0) {
      fuse_out_header header{};
      std::memcpy(&header, bytes.data(), sizeof header);
      EXPECT_EQ(header.len, static_cast<std::uint32_t>(count));
      answers[header.unique] = {-header.error,
                                std::string(bytes.data() + sizeof header,
                                            static_cast<std::size_t>(count) - sizeof header)};
    }
  }

  // The answer to a request that was sent; fails the test when there is none.
  Answer answer_to(std::uint64_t unique) {
    server->handle_readable();
    take_answers();
    EXPECT_TRUE(answers.contains(unique)) << "no answer to request " << unique;
    return answers[unique];
  }

  [[nodiscard]] bool is_answered(std::uint64_t unique) {
    take_answers();
    return answers.contains(unique);
  }

  void run_all() {
    server->handle_readable();
    while (!backend.waiting.empty()) {
      server->handle_completion(backend.run_one());
    }
  }

  std::uint64_t open_device(std::uint32_t flags = O_RDWR) {
    fuse_open_in in{};
    in.flags = flags;
    return send(FUSE_OPEN, kDevice, in);
  }

  std::uint64_t send_write(std::uint64_t offset, std::string_view data, std::uint32_t flags = 0) {
    fuse_write_in in{};
    in.offset = offset;
    in.size = static_cast<std::uint32_t>(data.size());
    in.flags = flags;
    return send(FUSE_WRITE, kDevice, in, data);
  }

  std::uint64_t send_read(const Node& node, std::uint64_t offset, std::uint32_t size) {
    fuse_read_in in{};
    in.offset = offset;
    in.size = size;
    return send(FUSE_READ, node, in);
  }

  std::uint64_t send_allocate(std::uint32_t mode, std::uint64_t offset, std::uint64_t length) {
    fuse_fallocate_in in{};
    in.mode = mode;
    in.offset = offset;
    in.length = length;
    return send(FUSE_FALLOCATE, kDevice, in);
  }

  [[nodiscard]] std::string content(std::size_t at, std::size_t bytes) const {
    return std::string(as_text(ConstByteSpan(backend.content).subspan(at, bytes)));
  }

  const Node kDevice{.kind = NodeKind::device, .address = kE71};
  const Node kErr{.kind = NodeKind::control, .control = ControlFile::err};
  FakeBackend backend;
  os::Fd kernel;
  os::Fd ours;
  std::unique_ptr<Server> server;
  std::uint64_t last_unique = 0;
  std::map<std::uint64_t, Answer> answers;
};

TEST_F(ServerTest, TakesOnlyWhatTheKernelOffers) {
  fuse_init_in in{};
  in.major = FUSE_KERNEL_VERSION;
  in.minor = 45;
  in.flags = FUSE_ASYNC_DIO | FUSE_MAX_PAGES | FUSE_POSIX_LOCKS;
  const auto out = answer_to(send(FUSE_INIT, Node{}, in)).as<fuse_init_out>();
  EXPECT_EQ(out.flags, static_cast<std::uint32_t>(FUSE_ASYNC_DIO | FUSE_MAX_PAGES));
  EXPECT_EQ(out.max_write, 16384U);
  EXPECT_EQ(out.max_pages, 4U);
}

TEST_F(ServerTest, TheKernelTellsWhetherItAsksAgain) {
  EXPECT_EQ(server->kernel_asks_again(), std::nullopt);
  fuse_init_in in{};
  in.major = FUSE_KERNEL_VERSION;
  in.minor = 45;
  in.flags = FUSE_INIT_EXT;
  in.flags2 = 1U << 7U;
  EXPECT_EQ(answer_to(send(FUSE_INIT, Node{}, in)).os_errno, 0);
  EXPECT_EQ(server->kernel_asks_again(), true);
  in.flags2 = ~(1U << 7U);
  EXPECT_EQ(answer_to(send(FUSE_INIT, Node{}, in)).os_errno, 0);
  EXPECT_EQ(server->kernel_asks_again(), false);
  // The second word means nothing without its flag, and Linux before 5.17 has none.
  in.flags = 0;
  in.flags2 = 1U << 7U;
  EXPECT_EQ(answer_to(send(FUSE_INIT, Node{}, in)).os_errno, 0);
  EXPECT_EQ(server->kernel_asks_again(), false);
  const std::string bytes(reinterpret_cast<const char*>(&in), offsetof(fuse_init_in, flags2));
  EXPECT_EQ(answer_to(send_bytes(FUSE_INIT, 1, bytes)).os_errno, 0);
  EXPECT_EQ(answer_to(send_bytes(FUSE_INIT, 1, bytes.substr(1))).os_errno, EPROTO);
}

TEST_F(ServerTest, NamesAndSizes) {
  const auto found = answer_to(send_bytes(FUSE_LOOKUP, 1, std::string("e7.1") + '\0'));
  EXPECT_EQ(found.as<fuse_entry_out>().nodeid, node_id(kDevice));
  EXPECT_EQ(found.as<fuse_entry_out>().attr.size, kBytes);
  EXPECT_EQ(answer_to(send_bytes(FUSE_LOOKUP, 1, std::string("e7.2") + '\0')).os_errno, ENOENT);
  EXPECT_EQ(answer_to(send_bytes(FUSE_LOOKUP, 1, std::string("e7.2.d") + '\0')).os_errno, ENOENT);
  backend.disk.sectors = 32;
  const auto grown = answer_to(send(FUSE_GETATTR, kDevice, fuse_getattr_in{}));
  EXPECT_EQ(grown.as<fuse_attr_out>().attr.size, 2 * kBytes);
  EXPECT_EQ(grown.as<fuse_attr_out>().attr_valid, 0U) << "asked again next time";
  EXPECT_EQ(answer_to(send_bytes(FUSE_GETATTR, 12345, "")).os_errno, ESTALE);
}

TEST_F(ServerTest, AListingGoesOnWhereItStopped) {
  std::vector<std::string> names;
  std::uint64_t offset = 0;
  for (int i = 0; i < 20; ++i) {
    fuse_read_in in{};
    in.offset = offset;
    in.size = 64;  // one or two entries at a time
    const Answer answer = answer_to(send(FUSE_READDIR, Node{}, in));
    if (answer.body.empty()) {
      break;
    }
    for (std::size_t at = 0; at < answer.body.size();) {
      fuse_dirent entry{};
      std::memcpy(&entry, answer.body.data() + at, FUSE_NAME_OFFSET);
      names.push_back(answer.body.substr(at + FUSE_NAME_OFFSET, entry.namelen));
      offset = entry.off;
      at += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);
    }
  }
  EXPECT_THAT(names, ElementsAre(".", "..", "discover", "revalidate", "flush", "interfaces", "err",
                                 "e7.1", "e7.1.d"));
}

TEST_F(ServerTest, ReadsAnyRangeAndStopsAtTheEnd) {
  static_cast<void>(answer_to(open_device()));
  copy_bytes(ByteSpan(backend.content).subspan(510), as_byte_span("hello"));
  const auto read = send_read(kDevice, 509, 7);
  run_all();
  EXPECT_EQ(answer_to(read).body, ".hello.");
  const auto end = send_read(kDevice, kBytes - 3, 100);
  run_all();
  EXPECT_EQ(answer_to(end).body, "...");
  EXPECT_EQ(answer_to(send_read(kDevice, kBytes, 100)).body, "");
}

TEST_F(ServerTest, WritesOfPartsOfSectorsKeepTheRest) {
  static_cast<void>(answer_to(open_device()));

  struct Case {
    std::uint64_t offset;
    std::size_t bytes;
  };

  for (const Case& one : {Case{0, 512}, Case{10, 5}, Case{510, 4}, Case{0, 700}, Case{300, 212},
                          Case{511, 1026}, Case{1024, 8192 - 1024}}) {
    backend.content.assign(kBytes, std::byte{'.'});
    const std::string data(one.bytes, 'x');
    const auto write = send_write(one.offset, data);
    run_all();
    EXPECT_EQ(answer_to(write).as<fuse_write_out>().size, one.bytes);
    std::string expected(kBytes, '.');
    expected.replace(one.offset, one.bytes, data);
    EXPECT_EQ(content(0, kBytes), expected) << one.offset << " " << one.bytes;
  }
}

TEST_F(ServerTest, PartsOfOneSectorDoNotLoseEachOther) {
  static_cast<void>(answer_to(open_device()));
  const auto first = send_write(0, "aa");
  const auto second = send_write(2, "bb");
  run_all();
  EXPECT_EQ(answer_to(first).os_errno, 0);
  EXPECT_EQ(answer_to(second).os_errno, 0);
  EXPECT_EQ(content(0, 5), "aabb.");
}

TEST_F(ServerTest, NothingIsWrittenBehindTheEnd) {
  static_cast<void>(answer_to(open_device()));
  const auto across = send_write(kBytes - 512, std::string(1024, 'x'));
  run_all();
  EXPECT_EQ(answer_to(across).as<fuse_write_out>().size, 512U);
  EXPECT_EQ(answer_to(send_write(kBytes, "x")).os_errno, ENOSPC);
}

TEST_F(ServerTest, ErrorsOfEveryStepReachTheWriterAndTheNextOneGoesOn) {
  static_cast<void>(answer_to(open_device()));
  for (int failing = 0; failing < 3; ++failing) {
    backend.ended.clear();
    const auto broken = send_write(510, "abcd", O_DSYNC);  // head, tail, write
    const auto next = send_write(1000, "z");
    server->handle_readable();
    for (int step = 0; step <= failing; ++step) {
      ASSERT_FALSE(backend.waiting.empty());
      server->handle_completion(
          backend.run_one(step == failing ? IoStatus::media_error : IoStatus::ok));
    }
    EXPECT_EQ(answer_to(broken).os_errno, EIO) << failing;
    run_all();
    EXPECT_EQ(answer_to(next).os_errno, 0) << failing;
  }
  backend.refuse = ENODEV;
  EXPECT_EQ(answer_to(send_write(3, "a")).os_errno, ENODEV);
  backend.refuse = 0;
  const auto after = send_write(3, "a");
  run_all();
  EXPECT_EQ(answer_to(after).os_errno, 0);
}

TEST_F(ServerTest, SyncFlushesAndADurableWriteSaysSo) {
  static_cast<void>(answer_to(open_device()));
  const auto sync = send(FUSE_FSYNC, kDevice, fuse_fsync_in{});
  run_all();
  EXPECT_EQ(answer_to(sync).os_errno, 0);
  EXPECT_THAT(backend.ended, ElementsAre(IoOp::flush));
  backend.ended.clear();
  const auto write = send_write(0, std::string(512, 'x'), O_DSYNC);
  const auto plain = send_write(512, std::string(512, 'x'));
  server->handle_readable();
  ASSERT_EQ(backend.waiting.size(), 2U);
  EXPECT_TRUE(backend.waiting[0].durable);
  EXPECT_FALSE(backend.waiting[1].durable);
  run_all();
  EXPECT_EQ(answer_to(write).os_errno, 0);
  EXPECT_EQ(answer_to(plain).os_errno, 0);
}

TEST_F(ServerTest, HolesAreTrimmedAndZerosWritten) {
  static_cast<void>(answer_to(open_device()));
  constexpr std::uint32_t kPunch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  const auto hole = send_allocate(kPunch, 512, 1024);
  server->handle_readable();
  ASSERT_EQ(backend.waiting.size(), 1U);
  EXPECT_EQ(backend.waiting[0].op, IoOp::trim);
  EXPECT_EQ(backend.waiting[0].lba.value, 1U);
  EXPECT_EQ(backend.waiting[0].sectors, 2U);
  run_all();
  EXPECT_EQ(answer_to(hole).os_errno, 0);
  const auto beyond = send_allocate(kPunch, kBytes - 512, ~0ULL / 2);
  server->handle_readable();
  ASSERT_EQ(backend.waiting.size(), 1U);
  EXPECT_EQ(backend.waiting[0].sectors, 1U) << "cut to the device";
  run_all();
  EXPECT_EQ(answer_to(beyond).os_errno, 0);
  const auto zeros = send_allocate(FALLOC_FL_ZERO_RANGE, 0, 512);
  server->handle_readable();
  ASSERT_EQ(backend.waiting.size(), 1U);
  EXPECT_EQ(backend.waiting[0].op, IoOp::write_zeroes);
  run_all();
  EXPECT_EQ(answer_to(zeros).os_errno, 0);
  EXPECT_EQ(answer_to(send_allocate(kPunch, 100, 512)).os_errno, EINVAL);
  EXPECT_EQ(answer_to(send_allocate(kPunch, 512, 100)).os_errno, EINVAL);
  EXPECT_EQ(answer_to(send_allocate(0, 0, kBytes)).os_errno, 0);
  EXPECT_EQ(answer_to(send_allocate(0, 0, kBytes + 1)).os_errno, ENOSPC);
  EXPECT_EQ(answer_to(send_allocate(FALLOC_FL_COLLAPSE_RANGE, 0, 512)).os_errno, EOPNOTSUPP);
  backend.disk.discard_reads_zero = false;
  EXPECT_EQ(answer_to(send_allocate(kPunch, 512, 512)).os_errno, EOPNOTSUPP)
      << "a hole must read as zeros";
}

TEST_F(ServerTest, SizesCannotBeChanged) {
  fuse_setattr_in in{};
  in.valid = FATTR_SIZE;
  in.size = 512;
  EXPECT_EQ(answer_to(send(FUSE_SETATTR, kDevice, in)).os_errno, EPERM);
  in.size = kBytes;
  EXPECT_EQ(answer_to(send(FUSE_SETATTR, kDevice, in)).os_errno, 0);
  in.valid = FATTR_MODE;
  EXPECT_EQ(answer_to(send(FUSE_SETATTR, kDevice, in)).os_errno, EPERM);
}

TEST_F(ServerTest, AReadOnlyDeviceIsNotOpenedForWriting) {
  backend.disk.is_read_only = true;
  EXPECT_EQ(answer_to(open_device(O_RDWR)).os_errno, EROFS);
  EXPECT_EQ(answer_to(open_device(O_RDONLY)).os_errno, 0);
  EXPECT_EQ(answer_to(send_write(0, "x")).os_errno, EROFS);
  EXPECT_EQ(backend.opens, 1);
  EXPECT_EQ(answer_to(send(FUSE_RELEASE, kDevice, fuse_release_in{})).os_errno, 0);
  EXPECT_EQ(backend.opens, 0);
}

TEST_F(ServerTest, ADeviceThatWentIsAnError) {
  static_cast<void>(answer_to(open_device()));
  const auto read = send_read(kDevice, 0, 512);
  server->handle_readable();
  server->handle_completion(backend.run_one(IoStatus::cancelled));
  EXPECT_EQ(answer_to(read).os_errno, ENODEV);
  backend.there = false;
  EXPECT_EQ(answer_to(send_read(kDevice, 0, 512)).os_errno, ENODEV);
  EXPECT_EQ(answer_to(open_device()).os_errno, ENODEV);
}

TEST_F(ServerTest, RequestsWaitForASlotAndAllAreAnswered) {
  static_cast<void>(answer_to(open_device()));
  std::vector<std::uint64_t> reads;
  for (int i = 0; i < 10; ++i) {
    reads.push_back(send_read(kDevice, 0, 512));
  }
  server->handle_readable();
  EXPECT_EQ(backend.waiting.size(), 4U) << "as many as there are slots";
  run_all();
  for (const std::uint64_t read : reads) {
    EXPECT_EQ(answer_to(read).body.size(), 512U);
  }
}

TEST_F(ServerTest, TextFilesAndControlFiles) {
  const Node state{.kind = NodeKind::info, .info = InfoFile::state, .address = kE71};
  EXPECT_EQ(answer_to(send_read(state, 0, 100)).body, "up\n");
  EXPECT_EQ(answer_to(send_read(state, 1, 1)).body, "p");
  EXPECT_EQ(answer_to(send_read(state, 9, 100)).body, "");
  const Node flush{.kind = NodeKind::control, .control = ControlFile::flush};
  fuse_write_in in{};
  in.size = 3;
  EXPECT_EQ(answer_to(send(FUSE_WRITE, flush, in, "all")).as<fuse_write_out>().size, 3U);
  EXPECT_EQ(backend.written, "2:all");
  EXPECT_EQ(answer_to(send(FUSE_WRITE, flush, in, "bad")).os_errno, EINVAL);
  EXPECT_EQ(answer_to(send(FUSE_WRITE, state, in, "abc")).os_errno, EPERM);
}

TEST_F(ServerTest, EventsAreReadOneByOneByEveryReader) {
  backend.events = {"old\n"};
  const auto fh = answer_to(send(FUSE_OPEN, kErr, fuse_open_in{})).as<fuse_open_out>().fh;
  fuse_read_in in{};
  in.fh = fh;
  in.size = 100;
  in.flags = O_NONBLOCK;
  EXPECT_EQ(answer_to(send(FUSE_READ, kErr, in)).os_errno, EAGAIN) << "old ones are not told";
  in.flags = 0;
  const auto waits = send(FUSE_READ, kErr, in);
  server->handle_readable();
  EXPECT_FALSE(is_answered(waits));
  backend.events.emplace_back("one\n");
  backend.events.emplace_back("two\n");
  server->handle_event();
  EXPECT_EQ(answer_to(waits).body, "one\n");
  EXPECT_EQ(answer_to(send(FUSE_READ, kErr, in)).body, "two\n");
  const auto interrupted = send(FUSE_READ, kErr, in);
  server->handle_readable();
  fuse_interrupt_in stop{};
  stop.unique = interrupted;
  static_cast<void>(send(FUSE_INTERRUPT, Node{}, stop));
  EXPECT_EQ(answer_to(interrupted).os_errno, EINTR);
}

TEST_F(ServerTest, WhatTheKernelCutsOffIsRefused) {
  for (const std::uint32_t opcode :
       {FUSE_READ, FUSE_WRITE, FUSE_OPEN, FUSE_FALLOCATE, FUSE_SETATTR, FUSE_INIT, FUSE_READDIR}) {
    EXPECT_NE(answer_to(send_bytes(opcode, node_id(kDevice), "x")).os_errno, 0) << opcode;
  }
  fuse_write_in in{};
  in.size = 100;
  EXPECT_EQ(answer_to(send(FUSE_WRITE, kDevice, in, "short")).os_errno, EINVAL);
  EXPECT_EQ(answer_to(send_bytes(9999, 1, "")).os_errno, ENOSYS);
}

TEST_F(ServerTest, WhatAnotherHostHasReservedIsNotPermitted) {
  const auto answer_with = [&](std::uint8_t aoe_error) {
    const std::uint64_t read = send_read(kDevice, 0, 512);
    server->handle_readable();
    IoCompletion refused = backend.run_one(IoStatus::rejected);
    refused.aoe_error = aoe_error;
    server->handle_completion(refused);
    return answer_to(read).os_errno;
  };
  EXPECT_EQ(answer_with(6), EPERM);
  EXPECT_EQ(answer_with(3), EIO);
}

TEST_F(ServerTest, WhatComesAfterTheHandOverIsForTheNextProcess) {
  const std::uint64_t taken = send_read(kDevice, 0, 512);
  server->handle_readable();
  EXPECT_TRUE(server->is_busy());
  server->stop_reading();
  const std::uint64_t left = send_bytes(FUSE_STATFS, 1, "");
  run_all();
  EXPECT_TRUE(is_answered(taken));
  EXPECT_FALSE(is_answered(left));
  EXPECT_FALSE(server->is_busy());
}

TEST_F(ServerTest, TheEndOfTheMountIsNoticed) {
  kernel.reset();
  server->handle_readable();
  EXPECT_TRUE(server->is_closed());
}

}  // namespace
}  // namespace aoe::fuse
