// A machine with network ports and a clock of its own: what every host of the simulation is.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/port_info.h"
#include "base/ring_queue.h"
#include "sim/world/ethernet_switch.h"
#include "sim/world/host_clock.h"
#include "sim/world/link.h"
#include "sim/world/world.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::sim {

// Hands frames to the host at once while it runs. While it is paused (SIGSTOP, a long garbage
// collection of a hypervisor) they wait in a receive ring of fixed size, and timers wait too; while
// it is off they are lost.
class Station : public LinkEnd, public EventHandler {
 public:
  Station(World& world, std::int32_t drift_ppm);

  // Plugs a new port into a switch. The link belongs to the caller.
  PortId add_port(const MacAddress& mac, std::size_t mtu_bytes, Link& link, EthernetSwitch& to);

  [[nodiscard]] std::size_t port_count() const { return ports_.size(); }

  [[nodiscard]] PortInfo port_info(PortId port) const;

  [[nodiscard]] Link& link(PortId port) { return *ports_[port.value].link; }

  void set_port_mtu(PortId port, std::size_t mtu_bytes);
  // Takes the interface down or up without touching the cable.
  void set_port_enabled(PortId port, bool enabled);

  // Nothing runs until `until`.
  void pause(Instant until);

  // Ends a pause at once.
  void wake_up();

  [[nodiscard]] bool is_paused() const { return paused_; }

  [[nodiscard]] bool runs() const { return powered_ && !paused_; }

  void set_drift(std::int32_t drift_ppm) { clock_.set_drift(world_.now(), drift_ppm); }

  [[nodiscard]] World& world() { return world_; }

  // Frames that came while the receive ring was full.
  [[nodiscard]] std::uint64_t ring_overflows() const { return ring_overflows_; }

  void handle_arrival(Instant now, std::uint16_t port, PacketBuffer frame) final;
  void handle_carrier(Instant now, std::uint16_t port, bool up) final;
  void handle_event(Instant now, std::uint32_t what, std::uint64_t value) final;

 protected:
  // Event numbers of the derived host begin here.
  static constexpr std::uint32_t kFirstOwnEvent = 16;

  [[nodiscard]] Instant local_now() const { return clock_.local(world_.now()); }

  void transmit(PortId port, ConstByteSpan frame);

  // on_wake() is called at the local instant, if nothing earlier was asked for meanwhile.
  void wake_at(std::optional<Instant> local);

  // Off stations hear nothing. The receive ring is emptied.
  void set_powered(bool powered);

  // While it runs only. The host drains its core afterwards.
  virtual void on_frame(PortId port, PacketBuffer frame) = 0;
  virtual void on_port(PortId port, const PortInfo& info) = 0;
  virtual void on_wake() = 0;

  // What happens to the outside of the machine, paused or not.
  virtual void on_own_event(Instant /*now*/, std::uint32_t /*what*/, std::uint64_t /*value*/) {}

  // It runs again after a pause, before the frames that waited.
  virtual void on_resume() {}

 private:
  enum Event : std::uint32_t { kWake, kResume };

  struct Port {
    MacAddress mac;
    std::size_t mtu_bytes = 0;
    Link* link = nullptr;
    bool carrier = false;
    bool enabled = true;
    bool changed = false;  // while it was paused
  };

  struct Waiting {
    PortId port;
    PacketBuffer frame;
  };

  void port_changed(Port& port);
  void resume();

  World& world_;
  HostClock clock_;
  std::vector<Port> ports_;
  RingQueue<Waiting> ring_;
  bool powered_ = true;
  bool paused_ = false;
  Instant paused_until_;
  Instant wake_scheduled_;  // true time of the earliest wake-up in the queue; zero: none
  Instant wake_wanted_;     // true time; zero: none
  std::uint64_t ring_overflows_ = 0;
};

}  // namespace aoe::sim
