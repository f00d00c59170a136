// Answers the kernel for the mounted directory.
#pragma once

#include "base/result.h"
#include "frontends/fuse/backend.h"
#include "frontends/fuse/block_io.h"
#include "frontends/fuse/connection.h"
#include "frontends/fuse/slot_pool.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace aoe::fuse {

// A raw FUSE server on one thread, without libfuse: all memory that a read or write needs is made
// at the start, because an allocation there could wait for that very read or write.
//
// Each request takes a slot; when all are in use the rest waits in the kernel.
class Server {
 public:
  struct Options {
    std::uint32_t slots = 64;
    std::uint32_t io_bytes_max = 256U << 10U;  // of one read or write; larger ones come in pieces
  };

  // `fd` is that of /dev/fuse, non-blocking; it and the backend outlive the server. Errors:
  // no_space (of memory).
  [[nodiscard]] static Result<std::unique_ptr<Server>> create(int fd, Backend& backend,
                                                              Options options);

  // Watch it edge-triggered: handle_readable() takes all there is.
  [[nodiscard]] int wait_fd() const { return connection_.fd(); }

  void handle_readable();

  // A file of the device was opened when another process served on the same descriptor. Before the
  // first handle_readable().
  void adopt_open(DeviceAddress address) { io_.open(address); }

  // What the kernel said when the directory was mounted; nullopt: it was mounted by another
  // process.
  [[nodiscard]] std::optional<bool> kernel_asks_again() const { return kernel_asks_again_; }

  // The requests that the other process had not answered come again. False: they do not, because
  // this kernel cannot (before Linux 6.9).
  [[nodiscard]] bool ask_again() { return connection_.ask_again(); }

  // Leaves further requests in the kernel, for whoever serves on the descriptor next.
  void stop_reading() { is_stopped_ = true; }

  // Whether requests are under way; readers that wait for an event do not count.
  [[nodiscard]] bool is_busy() const;

  // Of a request that the backend took.
  void handle_completion(const client::IoCompletion& completion);

  // Somebody may wait for it.
  void handle_event();

  // The size of a device has changed.
  void handle_resize(DeviceAddress address);

  // The directory is no longer mounted.
  [[nodiscard]] bool is_closed() const { return is_closed_; }

 private:
  // A program that reads `err`.
  struct EventReader {
    bool is_open = false;
    std::uint64_t seen = 0;        // the last event that it has
    std::uint32_t slot = kNoSlot;  // of its read that waits
  };

  static constexpr std::size_t kEventReadersMax = 16;

  Server(int fd, Backend& backend, Options options, SlotPool slots);

  // Each answers the request in the slot, or hands it on; the slot comes back in time.
  void dispatch(std::uint32_t slot, const Request& request);
  [[nodiscard]] bool dispatch_names(std::uint32_t slot, const Request& request, const Node& node);
  void dispatch_data(std::uint32_t slot, const Request& request, const Node& node);
  void initialise(std::uint32_t slot, const Request& request);
  void look_up(std::uint32_t slot, const Request& request, const Node& node);
  void get_attributes(std::uint32_t slot, const Node& node);
  void set_attributes(std::uint32_t slot, const Request& request, const Node& node);
  void read_directory(std::uint32_t slot, const Request& request, const Node& node);
  void open(std::uint32_t slot, const Request& request, const Node& node);
  void open_events(std::uint32_t slot);
  void release(std::uint32_t slot, const Request& request, const Node& node);
  void read(std::uint32_t slot, const Request& request, const Node& node);
  void read_text(std::uint32_t slot, const fuse_read_in& in, std::string_view text);
  void read_events(std::uint32_t slot, const fuse_read_in& in);
  void write(std::uint32_t slot, const Request& request, const Node& node);
  void interrupt(const Request& request);
  [[nodiscard]] bool answer_event(EventReader& reader, std::uint32_t slot);

  // nullopt when the node stands for a device that is not there.
  [[nodiscard]] std::optional<fuse_attr> attributes_of(const Node& node);
  void finish(std::uint32_t slot, int os_errno, ConstByteSpan body = {});

  template <class Out>
  void finish_with(std::uint32_t slot, const Out& out) {
    finish(slot, 0, std::as_bytes(std::span(&out, 1)));
  }

  Backend& backend_;
  Options options_;
  Connection connection_;
  SlotPool slots_;
  BlockIo io_;
  std::array<EventReader, kEventReadersMax> readers_{};
  std::optional<bool> kernel_asks_again_;
  bool is_starved_ = false;  // requests wait in the kernel for a slot
  bool is_closed_ = false;
  bool is_stopped_ = false;
};

}  // namespace aoe::fuse
