// A switch or hub between network interfaces that harms frames on purpose, the same way for the
// same seed and arrivals.
#pragma once

#include "base/bytes.h"
#include "base/mac_address.h"
#include "base/result.h"
#include "base/time.h"
#include "net/pcap_file.h"
#include "os/fd.h"
#include "runtime/event_loop.h"
#include "support/lossbridge/decision_log.h"
#include "support/lossbridge/impairment.h"

#include <fmt/core.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

namespace aoe::lossbridge {

struct DirectionCounters {
  std::uint64_t received = 0;
  std::uint64_t forwarded = 0;  // copies sent; with more than two interfaces several per frame
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t flipped = 0;
  std::uint64_t black_holed = 0;  // longer than max-frame
  std::uint64_t blocked = 0;      // while down
  std::uint64_t queue_full = 0;   // waited too long for the rate
  std::uint64_t send_failed = 0;
};

// Forwards every frame of any type that arrives on one interface: to the one where its destination
// was last seen as a source, to all the others when that is not known. Raw sockets, so the
// interfaces need no address; frames that this host itself sends on them are not forwarded.
class Bridge {
 public:
  // Whether the bridge learns where addresses are, or is a hub.
  enum class Learning : std::uint8_t { on, off };

  struct Options {
    std::vector<std::string> interfaces;  // at least two
    Learning learning = Learning::on;
    std::uint64_t seed = 1;
    std::string pcap_path;  // every forwarded frame, as it left; empty for none
    std::string log_path;   // every decision, see DecisionLog; empty for none
  };

  // Registers with `loop`, which outlives the bridge.
  [[nodiscard]] static Result<std::unique_ptr<Bridge>> open(runtime::EventLoop& loop,
                                                            const Options& options);

  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;
  ~Bridge();

  // "PROPERTY [[IF=]VALUE]" or "down|up|clear [IF]": for frames that arrive on IF, or on any.
  // Error: invalid_argument.
  [[nodiscard]] Result<void> command(const std::string& line);

  // When send_due() wants to be called.
  [[nodiscard]] std::optional<Instant> next_due() const;
  // Sends the delayed frames whose time has come.
  void send_due(Instant now);

  [[nodiscard]] const DirectionCounters& counters(std::size_t interface) const {
    return ports_[interface]->counters;
  }

  // One line per interface: "va: received=10 forwarded=9 lost=1 ..".
  [[nodiscard]] std::string report() const;

 private:
  struct Port {
    std::string name;
    os::Fd socket;
    Impairment impairment;
    DirectionCounters counters;
    Instant rate_free_at;  // when the direction's line is idle again
  };

  struct Delayed {
    Instant due;
    std::uint64_t sequence = 0;  // equal times leave in order
    std::size_t from = 0;
    std::vector<std::byte> frame;

    bool operator<(const Delayed& other) const {
      return due != other.due ? due > other.due : sequence > other.sequence;
    }
  };

  struct Batch;

  Bridge(runtime::EventLoop& loop, const Options& options);
  Result<void> add_port(const std::string& name);
  void receive(std::size_t from);
  void learn(std::size_t from, ConstByteSpan frame);
  // The only interface to forward to, if there is one.
  [[nodiscard]] std::optional<std::size_t> place_of(ConstByteSpan frame) const;
  void handle(std::size_t from, ByteSpan frame, Instant now);
  void forward_copy(std::size_t from, ConstByteSpan frame, const Fate::Copy& copy, Instant now);
  [[nodiscard]] static std::optional<Instant> line_time(Port& port, std::size_t bytes, Instant now);
  template <typename... Args>
  void log(const Port& port, std::size_t bytes, fmt::format_string<Args...> decision,
           Args&&... args);
  void send(std::size_t from, ConstByteSpan frame);

  runtime::EventLoop& loop_;
  std::uint64_t seed_;
  Learning learning_;
  std::map<MacAddress, std::size_t> places_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::unique_ptr<Batch> batch_;
  std::priority_queue<Delayed> delayed_;
  std::uint64_t sequence_ = 0;
  std::unique_ptr<net::PcapWriter> pcap_;
  std::unique_ptr<DecisionLog> log_;
};

}  // namespace aoe::lossbridge
