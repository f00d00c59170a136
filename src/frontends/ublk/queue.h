// One queue of a device: the life of its tags, without a ring, a thread or a disk.
#pragma once

#include "frontends/ublk/request.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace aoe::ublk {

// Where the end of a request goes.
class RequestSink {
 public:
  // Any thread, once for each request that was started.
  virtual void complete(std::uint16_t tag, int error) = 0;

 protected:
  ~RequestSink() = default;
};

// One request under way, for a disk to remember until it ends.
struct Ticket {
  RequestSink* sink = nullptr;
  std::uint16_t tag = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;

  // `buffer` has the data of a write and takes that of a read; it and the ticket stay until the
  // end. Returns 0, or an errno, and then the sink hears nothing.
  [[nodiscard]] virtual int start(const Request& request, std::span<std::byte> buffer,
                                  Ticket& ticket) = 0;
};

// What a queue tells the driver.
class CommandSink {
 public:
  virtual ~CommandSink() = default;
  virtual void fetch(std::uint16_t tag, std::span<std::byte> buffer) = 0;
  virtual void commit_and_fetch(std::uint16_t tag, std::int32_t result,
                                std::span<std::byte> buffer) = 0;
};

// Lives on the queue's thread; all that it is given outlives it.
class Queue {
 public:
  struct Parts {
    CommandSink& commands;
    Disk& disk;
    RequestSink& done;                                  // who calls handle_done() in the end
    std::span<const uapi::IoDescriptor> descriptors{};  // one a tag, the driver's
    std::span<std::byte> buffers{};                     // all tags', one after the other
  };

  explicit Queue(const Parts& parts);

  // Fetches for every tag. Once.
  void start();

  // A fetch has ended: with a request, or for ever.
  void handle_fetched(std::uint16_t tag, int result);
  // A request has ended.
  void handle_done(std::uint16_t tag, int error);

  // The driver takes no more of any tag, and no request is under way.
  [[nodiscard]] bool has_ended() const;

 private:
  struct Slot {
    Ticket ticket{};
    Request request{};
    bool is_under_way = false;
  };

  [[nodiscard]] std::span<std::byte> buffer(std::uint16_t tag) const;

  Parts parts_;
  std::size_t buffer_bytes_;
  std::vector<Slot> slots_;
  std::size_t tags_ended_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace aoe::ublk
