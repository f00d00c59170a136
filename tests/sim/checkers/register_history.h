// Judges what the users of a disk saw: is there one order of all operations that explains it?
#pragma once

#include "sim/checkers/sector_content.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace aoe::sim {

// Every sector is a register of its own whose written values are unique, which makes the question
// whether a history is linearizable one of polynomial (here nearly linear) time (Gibbons & Korach,
// Testing Shared Memories, 1997). All operations on one value form a cluster; its zone reaches from
// the first end of one of them to the last beginning. When the end comes first, the register must
// have held the value all through the zone ("forward"); otherwise there is one instant inside at
// which it may have held it ("backward"). The history is linearizable iff no two forward zones
// overlap and no backward zone lies within a forward one. An operation that was not answered adds
// no end.
//
// Runs online: each end of an operation is judged at once, and what no later read may return is
// forgotten. Sectors that one writer writes need two or three entries; more only where operations
// overlap.
//
// What makes AoE different from a plain register:
//  * A write that was not answered (timed out, failed, its initiator crashed) may take effect at
//  any
//    time, until the same writer's next write to that sector was answered: before it sends that, an
//    initiator makes sure that nothing of the old one is left.
//  * A target that died may have executed a write whose answer was lost; its successor executes it
//    again. Values that were under way at a crash have several lives, one on each side.
//  * A disk that lost its cache goes back to what the last flush covered, or to anything later,
//  each
//    sector for itself (the rule of dm-log-writes).
//  * Zeros are not unique: a read of zeros is counted for the oldest write of zeros that explains
//  it.
class RegisterHistory {
 public:
  using Ticket = std::uint32_t;

  RegisterHistory() = default;

  // `has_cache`: what was acknowledged is safe only after a flush.
  enum class Cache : std::uint8_t { none, volatile_cache };
  void add_disk(std::uint32_t disk, std::uint64_t sectors, Cache cache = Cache::none);

  struct Range {
    std::uint32_t disk = 0;
    std::uint64_t lba = 0;
    std::uint32_t sectors = 0;
  };

  enum class Effect : std::uint8_t {
    values,  // the sectors hold first_value, first_value + 1 ...
    zeros,
    maybe_zeros,  // each sector holds zeros or what it held: a trim without promise
  };

  struct Write {
    Range range;
    std::uint32_t writer = 0;
    Effect effect = Effect::values;
    SectorValue first_value{};
    bool durable = false;  // acknowledged means stable, whatever the disk's cache
  };

  [[nodiscard]] Ticket begin_write(const Write& write);
  // It was acknowledged.
  void end_write(Ticket ticket);
  // It failed or nobody waits any more: it may have happened, or may happen yet.
  void doubt_write(Ticket ticket);

  [[nodiscard]] Ticket begin_read(const Range& range);
  // `values` are those of the range's sectors. What is wrong with them, if anything.
  [[nodiscard]] std::optional<std::string> end_read(Ticket ticket,
                                                    const std::vector<SectorValue>& values);
  void drop_read(Ticket ticket);

  [[nodiscard]] Ticket begin_flush(std::uint32_t disk);
  void end_flush(Ticket ticket);
  void drop_flush(Ticket ticket);

  // A write that was not answered takes effect once more, which is allowed (plain AoE, or it was
  // cut and asked again): from now on it has another life.
  void on_repeated(std::uint32_t disk, std::uint64_t lba, SectorValue value);
  // The process that served the disk died; the disk kept what it had.
  void on_restart(std::uint32_t disk);
  // The disk went back to its stable content. Where acknowledged means durable there is nothing to
  // call but on_restart().
  void on_cache_lost(std::uint32_t disk);
  // The sectors from `lba` on are gone; should they come back, they hold anything.
  void on_cut_off(std::uint32_t disk, std::uint64_t lba);

  // Clusters in memory, for tests of the forgetting.
  [[nodiscard]] std::size_t clusters() const { return nodes_.size() - free_nodes_.size(); }

 private:
  static constexpr std::uint32_t kNil = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  // Positions in the history: every begin and end has its own number.
  using Position = std::uint64_t;

  // One write of one sector and the reads of its value.
  struct Node {
    SectorValue value;
    Position begin = 0;        // of the write
    Position first_end = 0;    // of the cluster, once known
    Position last_begin = 0;   // of the cluster
    Position closed = kNever;  // the write took effect before this, if at all
    Position dead = kNever;    // a read that begins later cannot be the first to see it
    Position acked = kNever;   // when it was acknowledged
    std::uint32_t writer = 0;
    std::uint32_t next = kNil;
    std::uint32_t previous = kNil;
    std::uint32_t other_life = kNil;  // the same write after the next crash
    bool durable = false;
    bool known = false;     // has taken effect: acknowledged or seen
    bool answered = false;  // acknowledged or given up: no ticket holds it
  };

  struct List {
    std::uint32_t head = kNil;
    std::uint32_t tail = kNil;
  };

  struct Sector {
    List known;                 // by first_end
    List pending;               // writes that nobody saw and nobody acknowledged
    std::uint32_t readers = 0;  // reads of it that are open
    bool touched = false;
    bool anything = false;  // cut off: the next read says what it holds
    bool zeroed = false;    // zeros were written, so that zeros are not unique
  };

  struct Disk {
    std::vector<Sector> sectors;
    std::vector<std::uint32_t> touched;
    Position cache_lost = 0;  // when last
    Position flushed = 0;     // what was acknowledged before is stable; with no cache everything is
  };

  struct Operation {
    Range range;
    Position begin = 0;
    Effect effect = Effect::values;
    bool in_use = false;
    bool is_write = false;
    bool cache_lost = false;           // while it was under way
    std::vector<std::uint32_t> nodes;  // of a write, by sector
  };

  [[nodiscard]] Sector& sector(const Range& range, std::uint32_t index);
  [[nodiscard]] Ticket take_ticket(const Range& range);
  void release(Ticket ticket);
  [[nodiscard]] std::uint32_t new_node();
  void free_node(std::uint32_t node);
  void push_back(List& list, std::uint32_t node);
  void insert_known(Sector& sector, std::uint32_t node);
  void remove(List& list, std::uint32_t node);

  // Whether an acknowledged write must be there.
  enum class Certainty : std::uint8_t { certain, possible };
  void acknowledge(Sector& sector, std::uint32_t node, Certainty certainty, Position stable);
  void close_older(Sector& sector, std::uint32_t writer, Position before, Certainty newer);
  // What was acknowledged before `stable` cannot be lost.
  void forget_old(Sector& sector, Position stable);
  void drop_all(Sector& sector);
  void lose_cache(Sector& sector, Position flushed);
  [[nodiscard]] bool judge(Sector& sector, SectorValue value, Position read_begin,
                           Position cache_lost);
  [[nodiscard]] bool was_possible(const Sector& sector, SectorValue value) const;
  [[nodiscard]] bool take_anything(Sector& sector, SectorValue value, Position read_begin);
  [[nodiscard]] bool may_be_zeros(const Sector& sector, Position read_begin) const;
  [[nodiscard]] bool explains(const Sector& sector, std::uint32_t node, Position read_begin);
  [[nodiscard]] static bool conflict(const Node& a, const Node& b);
  [[nodiscard]] bool is_first_life(const Sector& sector, std::uint32_t node) const;
  void begin_next_life(Sector& sector, std::uint32_t first);
  // No read of the sector that is open began before.
  [[nodiscard]] Position oldest_read(const Sector& sector) const;

  // Whether a power cut cannot take it, when what was acknowledged before `flushed` is stable.
  [[nodiscard]] static bool is_stable(const Node& node, Position flushed) {
    return flushed == kNever || node.acked < flushed || (node.durable && node.acked != kNever);
  }

  [[nodiscard]] std::string explain(const Sector& sector, const Range& range, std::uint32_t index,
                                    SectorValue value, Position read_begin) const;

  std::vector<Disk> disks_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> free_nodes_;
  std::vector<Operation> operations_;
  std::vector<Ticket> free_tickets_;

  // Reads in the order of their beginnings; ended ones leave when they are at the front.
  struct OpenRead {
    Position begin = 0;
    bool ended = false;
  };

  std::vector<OpenRead> open_reads_;  // a ring
  std::size_t open_head_ = 0;
  std::size_t open_size_ = 0;
  std::vector<std::size_t> open_place_;  // by ticket
  Position now_ = 1;
};

}  // namespace aoe::sim
