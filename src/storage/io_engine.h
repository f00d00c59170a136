// Asynchronous operations on file descriptors, shared by all stores of a shard.
#pragma once

#include "base/result.h"
#include "base/time.h"

#include <sys/stat.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aoe::storage {

enum class IoKind : std::uint8_t {
  readv,
  writev,
  fdatasync,
  punch_hole,  // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
  zero_range,  // FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE
  status,      // statx of the descriptor itself, the size only
};

// One operation. `iovecs`, the memory behind them, `status` and the descriptor stay valid until the
// completion arrives, however long that takes: the kernel looks at all of them.
struct IoOp {
  std::uint32_t cookie = 0;  // returned with the completion; the client's own
  IoKind kind = IoKind::readv;
  int fd = -1;
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;   // of punch_hole and zero_range
  std::span<const iovec> iovecs{};  // of readv and writev
  struct statx* status = nullptr;   // of status: takes the answer
  // Even what should not wait may: another thread than the submitter's has to call the kernel.
  bool may_hang = false;
  // The backing is memory: readv, writev and fdatasync are called by the submitter, which costs
  // less than asking for it to be done.
  bool never_waits = false;
};

// Who submits: a store. Called back on the engine's thread, from IoEngine::poll only.
class IoClient {
 public:
  // result: what the system call returned (bytes, or 0), or -errno. May submit more operations; may
  // not attach or detach clients.
  virtual void handle_io_done(std::uint32_t cookie, std::int64_t result) = 0;

  IoClient(const IoClient&) = delete;
  IoClient& operator=(const IoClient&) = delete;

 protected:
  IoClient() = default;
  ~IoClient() = default;
};

// Memory and descriptors that operations in flight still use after their client is gone.
class IoKeepalive {
 public:
  IoKeepalive() = default;
  IoKeepalive(const IoKeepalive&) = delete;
  IoKeepalive& operator=(const IoKeepalive&) = delete;
  virtual ~IoKeepalive() = default;
};

// Names an attached client; a stale one is detected.
struct IoClientId {
  std::uint16_t index = 0;
  std::uint16_t generation = 0;
};

// Takes operations, runs them in any order, and routes each completion to the client it belongs to.
// Derived classes do the running; this class does the routing.
//
// Single thread (but IoIssuer::several). Outlives its clients (checked).
class IoEngine {
 public:
  IoEngine(const IoEngine&) = delete;
  IoEngine& operator=(const IoEngine&) = delete;
  // Waits for operations still in flight: a program that may not wait (a backend hangs) looks at
  // drain() first and ends the process instead.
  virtual ~IoEngine();

  // "io_uring (cooperative, single issuer)": for people.
  [[nodiscard]] virtual std::string describe() const = 0;
  // Readable when poll() has something to do.
  [[nodiscard]] virtual int wait_fd() const = 0;

  // True when the kernel would not take everything yet: poll() again soon, wait_fd() may stay
  // silent.
  [[nodiscard]] virtual bool wants_poll() const { return !done_at_once_.empty(); }

  // At most 65535 clients at once.
  [[nodiscard]] IoClientId attach(IoClient& client);
  // Most operations of this client will be on `fd`: the kernel may hold it, which makes them
  // cheaper. It then counts as open until the client is detached and its last operation is done.
  // At most once for a client.
  void hold_file(IoClientId id, int fd);

  // Most operations will be on `memory`, which is page-aligned and outlives the last of them: the
  // kernel may hold the front of it, kHeldMemoryBytes, as soon as it holds a file. At most once.
  virtual void hold_memory(std::span<std::byte> /*memory*/) {}

  // Held memory is used memory, and a pool is mostly unused: as many buffers as a busy target has
  // under way, hundreds at an MTU of 9000 and below.
  static constexpr std::size_t kHeldMemoryBytes = std::size_t{4} << 20U;
  // Completions that arrive later are swallowed; `keepalive` (may be null) is destroyed when the
  // last of them has, at once if there are none.
  void detach(IoClientId id, std::unique_ptr<IoKeepalive> keepalive);

  // Takes all `ops`; the span may go after the call. Never blocks on the medium, never fails: what
  // the kernel refuses comes back as a completion.
  void submit(IoClientId id, std::span<const IoOp> ops);

  // Whether poll() would find something, as far as that can be told without a system call.
  [[nodiscard]] virtual bool has_arrived() const { return !done_at_once_.empty(); }

  // Hands every completion that has arrived to its client; returns how many.
  std::size_t poll();

  // Polls until nothing is in flight, at most `timeout`; false if something still is. Blocks: for
  // shutdown and tests.
  bool drain(Duration timeout);

  // Submitted and not yet handed out, those of detached clients included.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

  // Completions that fitted no operation in flight; always 0 unless we or the kernel err.
  [[nodiscard]] std::uint64_t stale_completions() const { return stale_completions_; }

 protected:
  IoEngine() = default;

  static constexpr int kNotHeld = -1;

  // A place that stands for `fd` in start() until it is released, or kNotHeld.
  [[nodiscard]] virtual int hold(int /*fd*/) { return kNotHeld; }

  virtual void let_go(int /*held_file*/) {}

  // Runs `op` and later reports it through finish() with `user_data`. held_file: what hold()
  // returned for its descriptor.
  virtual void start(std::uint64_t user_data, const IoOp& op, int held_file) = 0;
  // All of a batch was started.
  virtual void kick() = 0;
  // Calls finish() for everything that has arrived.
  virtual void collect() = 0;

  void finish(std::uint64_t user_data, std::int64_t result);
  // For the destructors of derived classes: their machinery must still run while we wait.
  void wait_until_idle();

 private:
  struct DoneAtOnce {
    std::uint64_t user_data = 0;
    std::int64_t result = 0;
  };

  struct Entry {
    IoClient* client = nullptr;  // null: free, or detached with operations in flight
    std::unique_ptr<IoKeepalive> keepalive;
    std::uint32_t in_flight = 0;
    int fd = -1;  // of held_file
    int held_file = kNotHeld;
    std::uint16_t generation = 0;
    bool is_free = true;
  };

  [[nodiscard]] Entry* find(IoClientId id);
  void release(std::uint16_t index);
  bool wait_for_completion(std::int64_t timeout_ms) const;

  std::vector<Entry> entries_;
  std::vector<std::uint16_t> free_;
  std::vector<DoneAtOnce> done_at_once_;  // wait for poll(), as all completions do
  std::vector<DoneAtOnce> handing_out_;
  std::size_t in_flight_ = 0;
  std::uint64_t finished_ = 0;
  std::uint64_t stale_completions_ = 0;
};

// Single thread, or several of which one at a time has the engine and all its clients.
enum class IoIssuer : bool { one, several };

enum class IoEngineKind : std::uint8_t { automatic, uring, threads };

struct IoEngineOptions {
  IoEngineKind kind = IoEngineKind::automatic;
  std::uint32_t ring_entries = 256;  // io_uring: submission slots; a full ring is no error
  IoIssuer issuer = IoIssuer::one;
  std::uint32_t threads = 4;  // thread pool: operations that run at the same time, 1..64
};

struct OpenedIoEngine {
  std::unique_ptr<IoEngine> engine;
  std::string fallback_reason;  // why it is the thread pool although io_uring was tried; else empty
};

// automatic tries io_uring and falls back to threads. An explicit kind is taken or refused.
[[nodiscard]] Result<OpenedIoEngine> open_io_engine(const IoEngineOptions& options);

}  // namespace aoe::storage
