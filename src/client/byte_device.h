// A device that counts in bytes: any offset, any length.
#pragma once

#include "base/bytes.h"
#include "base/ring_queue.h"
#include "client/byte_split.h"
#include "client/device.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace aoe::client {

enum class Durability : std::uint8_t {
  by_flush,  // on stable storage after the next flush
  at_once,   // on stable storage when it completes (force unit access)
};

// The memory belongs to the device until the completion was taken, as with IoRequest.
struct ByteRequest {
  IoOp op = IoOp::read;
  std::uint64_t offset = 0;                      // 0 for flush
  std::uint64_t bytes = 0;                       // 1.. and inside the device; 0 for flush
  ByteSpan read_into{};                          // read: `bytes` long; else empty
  ConstByteSpan write_from{};                    // write: `bytes` long; else empty
  Durability durability = Durability::by_flush;  // of what changes data
  std::uint64_t cookie = 0;                      // returned in the completion
};

struct ByteCompletion {
  std::uint64_t cookie = 0;
  std::optional<Error> error;
};

// What starts or ends inside a sector is done to whole sectors:
//
//   read          the sector is read aside and its part copied
//   write, zero   read, changed, written back (after what is submitted before, before what comes
//                 later). Another initiator that writes the same sector meanwhile can lose its part
//   trim          only whole sectors are trimmed; the rest keeps its content
//
// Whole sectors go between the caller's memory and the frames without a copy in between.
//
// A request is up to three requests of the device, so the session needs kPartsMax times as many
// slots as all its ByteDevices have requests outstanding.
//
// Single thread, that of the session. Allocates in the constructor only.
class ByteDevice {
 public:
  static constexpr std::uint32_t kPartsMax = 3;

  ByteDevice(std::unique_ptr<Device> device, std::uint32_t requests_max);
  ByteDevice(const ByteDevice&) = delete;
  ByteDevice& operator=(const ByteDevice&) = delete;
  ~ByteDevice();

  [[nodiscard]] const Device& device() const { return *device_; }

  [[nodiscard]] std::uint64_t size_bytes() const { return device_->sectors() * kSectorBytes; }

  // Sends nothing by itself. Errors: invalid_argument (range, length), not_permitted (read-only,
  // os_errno EROFS), unsupported (trim on a target without it), busy (requests_max are
  // outstanding), unavailable (the device was never up). No completion follows an error.
  [[nodiscard]] Result<void> submit(const ByteRequest& request);

  // Takes what the session brought, submits what follows from it, and moves completions into `out`;
  // returns how many. Equal to out.size(): ask again.
  [[nodiscard]] std::size_t take(std::span<ByteCompletion> out);

  // A completion waits that no frame will announce: take() it soon.
  [[nodiscard]] bool has_done() const { return !done_.empty(); }

  // Submitted and not taken.
  [[nodiscard]] std::size_t outstanding() const { return jobs_.size() - free_.size(); }

  // Ends everything with `unavailable`, os_errno ECANCELED: take it. Memory is free afterwards, and
  // nothing but take() and outstanding() may be called.
  void close();

 private:
  enum class Stage : std::uint8_t { free, held, editing, moving, flushing, done };
  enum class Part : std::uint8_t { head, middle, tail, flush };

  struct Job {
    ByteRequest request{};
    ByteSplit split{};
    Stage stage = Stage::free;
    std::uint8_t pending = 0;  // parts that the device has
    std::optional<Error> error;
    std::array<std::byte, kSectorBytes> head{};
    std::array<std::byte, kSectorBytes> tail{};
  };

  [[nodiscard]] Result<void> check(const ByteRequest& request) const;
  [[nodiscard]] bool must_wait(const Job& job) const;
  void start(std::uint32_t index);
  void submit_part(std::uint32_t index, Part part, IoRequest io);
  void submit_edge(std::uint32_t index, Part part, IoOp op);
  void submit_middle(std::uint32_t index);
  void write_edges(std::uint32_t index);
  void on_completion(const IoCompletion& completion);
  void advance(std::uint32_t index);
  void finish(std::uint32_t index);
  void release(std::uint32_t index);
  void release_held();

  std::unique_ptr<Device> device_;
  std::vector<Job> jobs_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> editing_;  // jobs whose edges are being read to be changed
  std::vector<std::uint32_t> held_;     // jobs that wait for those, oldest first
  RingQueue<std::uint32_t> done_;
};

}  // namespace aoe::client
