// Drives an initiator core over packet ports on one event loop.
#pragma once

#include "base/buffer_pool.h"
#include "base/result.h"
#include "base/time.h"
#include "initiator/initiator_core.h"
#include "net/packet_port.h"
#include "os/link_monitor.h"
#include "os/timer_fd.h"
#include "runtime/event_loop.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aoe::client {

// Port i of the vector is PortId{i} of the core. Single thread; after a turn the owner polls the
// core's completions and events.
class CoreRunner {
 public:
  using Ports = std::vector<std::unique_ptr<net::PacketPort>>;

  struct Options {
    initiator::CoreOptions core{};
    // Frames on their way from the core to a port; they come back within one call of transmit().
    std::uint32_t buffers = 256;
    runtime::EventLoop::Options polling = runtime::EventLoop::kAdaptive;
  };

  // `monitor` may be null: then interfaces are taken as they are at the start (tests).
  // Errors: io (no descriptor left).
  [[nodiscard]] static Result<std::unique_ptr<CoreRunner>> create(
      Ports ports, std::unique_ptr<os::LinkMonitor> monitor, const Options& options);

  CoreRunner(const CoreRunner&) = delete;
  CoreRunner& operator=(const CoreRunner&) = delete;
  ~CoreRunner();

  // Sends what is to be sent, waits until something happens or `deadline` has come, takes frames
  // and timeouts, and sends again. A deadline in the past only looks.
  void turn(Instant deadline);

  // Sends what the core wants to send now.
  void transmit();

  // For other loops and for waiting without the runner: from now on wait_fd() is readable whenever
  // turn() has something to do, deadlines included. May be early, never late. Errors: io.
  [[nodiscard]] Result<void> make_waitable();

  [[nodiscard]] int wait_fd() const { return loop_->wait_fd(); }

  // Makes wait_fd() readable from `when` until the next turn.
  void wake_at(Instant when);

  [[nodiscard]] initiator::InitiatorCore& core() { return *core_; }

  [[nodiscard]] const initiator::InitiatorCore& core() const { return *core_; }

  // By PortId. A port that was removed is still there, as a net::ClosedPort.
  [[nodiscard]] const Ports& ports() const { return ports_; }

  // The loop that turn() runs, for what else its owner waits for. The owner takes its descriptors
  // off before the runner goes.
  [[nodiscard]] runtime::EventLoop& loop() { return *loop_; }

  // A further port. It gets the id of a removed port of the same name, else a new one, else that of
  // any removed port: paths of a device go by the id, and are identified anew when a port comes up.
  // Errors: no_space (core.limits.ports_max are there), io.
  [[nodiscard]] Result<PortId> add_port(std::unique_ptr<net::PacketPort> port);

  // Closes the port; what used it goes on over other ports.
  void remove_port(PortId id);

  // Frames through ports of that name are no larger than the MTU of the interface and this; 0 ends
  // it. It holds for ports that come later, too.
  void limit_mtu(const std::string& name, std::size_t mtu_bytes);

  // Looks at all interfaces now, as after a link event.
  void look_at_links() { links_changed_ = true; }

  // Called after link events, when the ports have been looked at.
  void on_link_change(std::function<void()> callback) { link_callback_ = std::move(callback); }

 private:
  static constexpr std::size_t kBatchFrames = 64;

  CoreRunner(Ports ports, std::unique_ptr<os::LinkMonitor> monitor, const Options& options);

  [[nodiscard]] Result<void> watch();
  [[nodiscard]] Result<void> watch_port(std::size_t port);
  [[nodiscard]] std::optional<std::size_t> slot_for(const std::string& name) const;
  void receive(std::size_t port);
  [[nodiscard]] bool look_for_frames();
  [[nodiscard]] bool more_waits() const;
  void arm_for_next_timeout();
  void refresh_ports();
  void tell_changed_ports(Instant now);
  [[nodiscard]] PortInfo limited_info(const net::PacketPort& port) const;

  std::size_t ports_max_;
  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<os::LinkMonitor> monitor_;
  BufferPool pool_;
  Ports ports_;                                // before the core goes its frames have gone back
  std::vector<std::optional<PortInfo>> told_;  // what the core knows of each port
  std::map<std::string, std::size_t> mtu_limits_;
  std::unique_ptr<initiator::InitiatorCore> core_;
  bool links_changed_ = false;
  std::function<void()> link_callback_;
  std::optional<os::TimerFd> timer_;  // when waitable
  std::optional<Instant> armed_;      // when it goes off; it is moved forward, never back
  std::vector<bool> readable_;
  std::vector<bool> closed_;                       // by port: removed, its place is free
  std::vector<std::vector<PacketBuffer>> staged_;  // by port
  std::array<initiator::TxFrame, kBatchFrames> outgoing_{};
  std::array<PacketBuffer, kBatchFrames> incoming_{};
};

}  // namespace aoe::client
