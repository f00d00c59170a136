// What can go wrong in a swarm run, by name: a seed decides which of them exist at all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::sim {

enum class Fault : std::uint8_t {
  // Chances of each frame.
  loss,
  burst,
  duplicate,
  reorder,
  tail,
  corrupt,
  jitter,
  small_queues,
  // Things that happen from time to time.
  clog,
  partition,
  cable,
  port,
  black_hole,
  mtu,
  target_kill,
  power_cut,
  target_pause,
  initiator_pause,
  initiator_crash,
  disk_hang,
  reserve,
  resize,
  offline,
  // Disks and clocks.
  clock_drift,
  spinning,
  disk_tail,
  read_error,
  write_error,
  flush_error,
  // Narrow places.
  small_target,
  small_initiator,
  short_timeout,
  fail_fast,  // requests do not wait for a path
  // Strangers.
  hostile,
  rogue,
};

inline constexpr std::size_t kFaultCount = static_cast<std::size_t>(Fault::rogue) + 1;

[[nodiscard]] const char* fault_name(Fault fault);
[[nodiscard]] std::optional<Fault> find_fault(std::string_view name);

class FaultSet {
 public:
  [[nodiscard]] bool has(Fault fault) const { return (bits_ >> index(fault) & 1U) != 0; }

  void add(Fault fault) { bits_ |= std::uint64_t{1} << index(fault); }

  void remove(Fault fault) { bits_ &= ~(std::uint64_t{1} << index(fault)); }

  void remove(FaultSet others) { bits_ &= ~others.bits_; }

  [[nodiscard]] bool empty() const { return bits_ == 0; }

  // "loss,clog", in the order of the enumeration.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] static FaultSet all();

  // Nullopt for a name that does not exist.
  [[nodiscard]] static std::optional<FaultSet> parse(std::string_view names);

  friend bool operator==(const FaultSet&, const FaultSet&) = default;

 private:
  [[nodiscard]] static unsigned index(Fault fault) { return static_cast<unsigned>(fault); }

  std::uint64_t bits_ = 0;
};

}  // namespace aoe::sim
