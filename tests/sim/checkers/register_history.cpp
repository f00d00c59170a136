#include "sim/checkers/register_history.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {

void RegisterHistory::add_disk(std::uint32_t disk, std::uint64_t sectors, Cache cache) {
  if (disks_.size() <= disk) {
    disks_.resize(disk + 1);
  }
  disks_[disk].sectors.resize(sectors);
  disks_[disk].flushed = cache == Cache::none ? kNever : 0;
}

// --- lists ---

std::uint32_t RegisterHistory::new_node() {
  if (free_nodes_.empty()) {
    nodes_.emplace_back();
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }
  const std::uint32_t node = free_nodes_.back();
  free_nodes_.pop_back();
  nodes_[node] = {};
  return node;
}

void RegisterHistory::free_node(std::uint32_t node) {
  free_nodes_.push_back(node);
}

void RegisterHistory::push_back(List& list, std::uint32_t node) {
  nodes_[node].previous = list.tail;
  nodes_[node].next = kNil;
  (list.tail == kNil ? list.head : nodes_[list.tail].next) = node;
  list.tail = node;
}

void RegisterHistory::remove(List& list, std::uint32_t node) {
  const Node& gone = nodes_[node];
  (gone.previous == kNil ? list.head : nodes_[gone.previous].next) = gone.next;
  (gone.next == kNil ? list.tail : nodes_[gone.next].previous) = gone.previous;
}

void RegisterHistory::insert_known(Sector& sector, std::uint32_t node) {
  std::uint32_t after = sector.known.tail;
  while (after != kNil && nodes_[after].first_end > nodes_[node].first_end) {
    after = nodes_[after].previous;
  }
  Node& added = nodes_[node];
  added.known = true;
  added.previous = after;
  added.next = after == kNil ? sector.known.head : nodes_[after].next;
  (added.next == kNil ? sector.known.tail : nodes_[added.next].previous) = node;
  (after == kNil ? sector.known.head : nodes_[after].next) = node;
}

// --- tickets ---

RegisterHistory::Ticket RegisterHistory::take_ticket(const Range& range) {
  if (free_tickets_.empty()) {
    free_tickets_.push_back(static_cast<Ticket>(operations_.size()));
    operations_.emplace_back();
    open_place_.push_back(0);
  }
  const Ticket ticket = free_tickets_.back();
  free_tickets_.pop_back();
  Operation& operation = operations_[ticket];
  operation.range = range;
  operation.begin = ++now_;
  operation.in_use = true;
  operation.is_write = false;
  operation.cache_lost = false;
  operation.nodes.clear();
  return ticket;
}

void RegisterHistory::release(Ticket ticket) {
  AOE_CHECK(operations_[ticket].in_use, "an operation ends once");
  operations_[ticket].in_use = false;
  free_tickets_.push_back(ticket);
}

RegisterHistory::Sector& RegisterHistory::sector(const Range& range, std::uint32_t index) {
  Disk& disk = disks_[range.disk];
  const std::uint64_t lba = range.lba + index;
  if (lba >= disk.sectors.size()) {
    disk.sectors.resize(lba + 1);  // the disk has grown
  }
  Sector& found = disk.sectors[lba];
  if (!found.touched) {
    found.touched = true;
    disk.touched.push_back(static_cast<std::uint32_t>(lba));
    // New disks hold zeros.
    const std::uint32_t first = new_node();
    nodes_[first].acked = 0;
    nodes_[first].answered = true;
    insert_known(found, first);
  }
  return found;
}

// --- writes ---

RegisterHistory::Ticket RegisterHistory::begin_write(const Write& write) {
  const Ticket ticket = take_ticket(write.range);
  Operation& operation = operations_[ticket];
  operation.is_write = true;
  operation.effect = write.effect;
  for (std::uint32_t i = 0; i < write.range.sectors; ++i) {
    Sector& where = sector(write.range, i);
    const std::uint32_t id = new_node();
    Node& node = nodes_[id];
    if (write.effect == Effect::values) {
      node.value = {write.first_value.raw + i};
    } else {
      where.zeroed = true;
    }
    node.begin = operation.begin;
    node.last_begin = operation.begin;
    node.writer = write.writer;
    node.durable = write.durable;
    push_back(where.pending, id);
    operation.nodes.push_back(id);
  }
  return ticket;
}

void RegisterHistory::end_write(Ticket ticket) {
  ++now_;
  const Operation& operation = operations_[ticket];
  // A trim without promise may still have its effect when a copy of it comes late: until the
  // writer's next write nothing is there that it could harm.
  const bool is_certain = operation.effect != Effect::maybe_zeros && !operation.cache_lost;
  for (std::uint32_t i = 0; i < operation.range.sectors; ++i) {
    acknowledge(sector(operation.range, i), operation.nodes[i],
                is_certain ? Certainty::certain : Certainty::possible,
                disks_[operation.range.disk].flushed);
  }
  release(ticket);
}

void RegisterHistory::acknowledge(Sector& sector, std::uint32_t first, Certainty certainty,
                                  Position stable) {
  close_older(sector, nodes_[first].writer, nodes_[first].begin, certainty);
  // Whichever life was seen is the one that happened. When none was, the whole span is left.
  std::uint32_t happened = first;
  for (std::uint32_t life = first; life != kNil; life = nodes_[life].other_life) {
    if (nodes_[life].known) {
      happened = life;
    }
  }
  const bool was_seen = nodes_[happened].known;
  for (std::uint32_t life = first; life != kNil;) {
    const std::uint32_t next = std::exchange(nodes_[life].other_life, kNil);
    Node& node = nodes_[life];
    node.answered = true;
    if (life == happened || node.known) {
      node.acked = now_;
    } else if (was_seen || certainty == Certainty::possible) {
      node.closed = std::min(node.closed, now_);
    } else {
      remove(sector.pending, life);
      free_node(life);
    }
    life = next;
  }
  Node& done = nodes_[happened];
  if (certainty == Certainty::certain && !was_seen) {
    remove(sector.pending, happened);
    done.first_end = now_;
    done.closed = kNever;
    insert_known(sector, happened);
  }
  forget_old(sector, stable);
}

// The same writer's older writes that were given up are over: he waited for that. What they left is
// overwritten, if the newer one certainly happened.
void RegisterHistory::close_older(Sector& sector, std::uint32_t writer, Position before,
                                  Certainty newer) {
  for (std::uint32_t node = sector.pending.head; node != kNil; node = nodes_[node].next) {
    Node& old = nodes_[node];
    if (old.writer == writer && old.begin < before && old.answered && old.closed == kNever) {
      (newer == Certainty::certain ? old.dead : old.closed) = now_;
    }
  }
}

void RegisterHistory::doubt_write(Ticket ticket) {
  ++now_;
  for (const std::uint32_t first : operations_[ticket].nodes) {
    for (std::uint32_t life = first; life != kNil;) {
      nodes_[life].answered = true;
      life = std::exchange(nodes_[life].other_life, kNil);
    }
  }
  release(ticket);
}

// --- reads ---

RegisterHistory::Ticket RegisterHistory::begin_read(const Range& range) {
  const Ticket ticket = take_ticket(range);
  if (open_size_ == open_reads_.size()) {
    // Full: unroll the ring into a larger one.
    std::vector<OpenRead> larger(std::max<std::size_t>(64, open_reads_.size() * 2));
    for (std::size_t i = 0; i < open_size_; ++i) {
      larger[i] = open_reads_[(open_head_ + i) % open_reads_.size()];
    }
    for (Ticket open = 0; open < operations_.size(); ++open) {
      if (!open_reads_.empty()) {
        open_place_[open] =
            (open_place_[open] + open_reads_.size() - open_head_) % open_reads_.size();
      }
    }
    open_reads_ = std::move(larger);
    open_head_ = 0;
  }
  const std::size_t place = (open_head_ + open_size_) % open_reads_.size();
  open_reads_[place] = {operations_[ticket].begin, false};
  open_place_[ticket] = place;
  ++open_size_;
  for (std::uint32_t i = 0; i < range.sectors; ++i) {
    ++sector(range, i).readers;
  }
  return ticket;
}

void RegisterHistory::drop_read(Ticket ticket) {
  for (std::uint32_t i = 0; i < operations_[ticket].range.sectors; ++i) {
    --sector(operations_[ticket].range, i).readers;
  }
  open_reads_[open_place_[ticket]].ended = true;
  while (open_size_ > 0 && open_reads_[open_head_].ended) {
    open_head_ = (open_head_ + 1) % open_reads_.size();
    --open_size_;
  }
  release(ticket);
}

RegisterHistory::Position RegisterHistory::oldest_read(const Sector& sector) const {
  return sector.readers == 0 ? now_ : open_reads_[open_head_].begin;
}

std::optional<std::string> RegisterHistory::end_read(Ticket ticket,
                                                     const std::vector<SectorValue>& values) {
  ++now_;
  const Operation& operation = operations_[ticket];
  const Position begin = operation.begin;
  std::optional<std::string> problem;
  for (std::uint32_t i = 0; i < operation.range.sectors; ++i) {
    Sector& where = sector(operation.range, i);
    const Disk& disk = disks_[operation.range.disk];
    if (!judge(where, values[i], begin, disk.cache_lost) && !problem) {
      problem = explain(where, operation.range, i, values[i], begin);
    }
    forget_old(where, disk.flushed);
  }
  drop_read(ticket);
  return problem;
}

bool RegisterHistory::judge(Sector& sector, SectorValue value, Position read_begin,
                            Position cache_lost) {
  if (read_begin < cache_lost) {
    return was_possible(sector, value);
  }
  if (value.is_zero() && sector.zeroed) {
    return may_be_zeros(sector, read_begin) || take_anything(sector, value, read_begin);
  }
  // Most reads see the last cluster, and nothing is in question.
  const std::uint32_t last = sector.known.tail;
  if (last != kNil && nodes_[last].value == value && last == sector.known.head) {
    nodes_[last].last_begin = std::max(nodes_[last].last_begin, read_begin);
    return true;
  }
  for (std::uint32_t node = sector.known.head; node != kNil; node = nodes_[node].next) {
    if (nodes_[node].value == value && explains(sector, node, read_begin)) {
      return true;
    }
  }
  // Of several lives the last: it rules out the least.
  for (std::uint32_t node = sector.pending.tail; node != kNil; node = nodes_[node].previous) {
    if (nodes_[node].value == value && read_begin < nodes_[node].dead &&
        explains(sector, node, read_begin)) {
      remove(sector.pending, node);
      insert_known(sector, node);
      return true;
    }
  }
  return take_anything(sector, value, read_begin);
}

bool RegisterHistory::take_anything(Sector& sector, SectorValue value, Position read_begin) {
  if (!std::exchange(sector.anything, false)) {
    return false;
  }
  const std::uint32_t node = new_node();
  nodes_[node].value = value;
  nodes_[node].first_end = now_;
  nodes_[node].last_begin = read_begin;
  nodes_[node].answered = true;
  insert_known(sector, node);
  return true;
}

// A read that began before the cache was lost may have seen anything that was there then, and says
// nothing of what is there now.
bool RegisterHistory::was_possible(const Sector& sector, SectorValue value) const {
  if (value.is_zero() && sector.zeroed) {
    return true;
  }
  for (const List* list : {&sector.known, &sector.pending}) {
    for (std::uint32_t node = list->head; node != kNil; node = nodes_[node].next) {
      if (nodes_[node].value == value) {
        return true;
      }
    }
  }
  return sector.anything;
}

// Which write of zeros a read of zeros saw cannot be known; it is enough that one of them was not
// certainly overwritten before the read began.
bool RegisterHistory::may_be_zeros(const Sector& sector, Position read_begin) const {
  // The latest beginning of a write that had certainly happened then.
  Position overwritten = 0;
  for (std::uint32_t node = sector.known.head; node != kNil; node = nodes_[node].next) {
    if (nodes_[node].first_end < read_begin) {
      overwritten = std::max(overwritten, nodes_[node].begin);
    }
  }
  for (std::uint32_t node = sector.known.head; node != kNil; node = nodes_[node].next) {
    if (nodes_[node].value.is_zero() && nodes_[node].first_end >= overwritten) {
      return true;
    }
  }
  for (std::uint32_t node = sector.pending.head; node != kNil; node = nodes_[node].next) {
    if (nodes_[node].value.is_zero() && read_begin < nodes_[node].dead &&
        nodes_[node].closed >= overwritten) {
      return true;
    }
  }
  return false;
}

// Whether the read can be counted for this write; if so, it is.
bool RegisterHistory::explains(const Sector& sector, std::uint32_t id, Position read_begin) {
  Node cluster = nodes_[id];
  if (!cluster.known) {
    cluster.first_end = std::min(cluster.closed, now_);
  }
  cluster.last_begin = std::max({cluster.last_begin, cluster.begin, read_begin});
  for (std::uint32_t other = sector.known.head; other != kNil; other = nodes_[other].next) {
    if (other != id && conflict(cluster, nodes_[other])) {
      return false;
    }
  }
  nodes_[id].first_end = cluster.first_end;
  nodes_[id].last_begin = cluster.last_begin;
  return true;
}

bool RegisterHistory::conflict(const Node& a, const Node& b) {
  const bool a_forward = a.first_end < a.last_begin;
  const bool b_forward = b.first_end < b.last_begin;
  if (a_forward && b_forward) {
    return std::max(a.first_end, b.first_end) < std::min(a.last_begin, b.last_begin);
  }
  if (a_forward) {
    return a.first_end < b.last_begin && b.first_end < a.last_begin;
  }
  return b_forward && b.first_end < a.last_begin && a.first_end < b.last_begin;
}

// --- forgetting ---

void RegisterHistory::forget_old(Sector& sector, Position stable) {
  if (sector.known.head == sector.known.tail && sector.pending.head == kNil) {
    return;
  }
  // A cluster is over when another one's write began after it, that one is stable, and no read that
  // may still return the old one is open.
  const Position oldest = oldest_read(sector);
  Position latest_begin = 0;
  for (std::uint32_t node = sector.known.tail; node != kNil;) {
    const std::uint32_t previous = nodes_[node].previous;
    if (nodes_[node].first_end < latest_begin && nodes_[node].answered) {
      remove(sector.known, node);
      free_node(node);
    } else if (nodes_[node].first_end < oldest && is_stable(nodes_[node], stable)) {
      latest_begin = std::max(latest_begin, nodes_[node].begin);
    }
    node = previous;
  }
  for (std::uint32_t node = sector.pending.head; node != kNil;) {
    const std::uint32_t next = nodes_[node].next;
    const Position over = std::min(nodes_[node].dead, nodes_[node].closed);
    const bool is_dead = nodes_[node].dead < oldest && stable == kNever;
    if (nodes_[node].answered && (is_dead || over < latest_begin)) {
      remove(sector.pending, node);
      free_node(node);
    }
    node = next;
  }
}

// --- flush and crashes ---

RegisterHistory::Ticket RegisterHistory::begin_flush(std::uint32_t disk) {
  return take_ticket({.disk = disk, .lba = 0, .sectors = 0});
}

void RegisterHistory::end_flush(Ticket ticket) {
  ++now_;
  Disk& disk = disks_[operations_[ticket].range.disk];
  // With no cache that is for ever.
  disk.flushed = std::max(disk.flushed, operations_[ticket].begin);
  release(ticket);
}

void RegisterHistory::drop_flush(Ticket ticket) {
  release(ticket);
}

void RegisterHistory::on_restart(std::uint32_t disk) {
  ++now_;
  for (Operation& operation : operations_) {
    if (!operation.in_use || !operation.is_write || operation.range.disk != disk) {
      continue;
    }
    for (std::uint32_t i = 0; i < operation.range.sectors; ++i) {
      begin_next_life(sector(operation.range, i), operation.nodes[i]);
    }
  }
}

void RegisterHistory::begin_next_life(Sector& sector, std::uint32_t first) {
  std::uint32_t last = first;
  while (nodes_[last].other_life != kNil) {
    last = nodes_[last].other_life;
  }
  if (!nodes_[last].known && last != first) {
    return;  // the present life was not seen yet: it goes on
  }
  const std::uint32_t again = new_node();
  nodes_[again].value = nodes_[last].value;
  nodes_[again].begin = now_;
  nodes_[again].last_begin = now_;
  nodes_[again].writer = nodes_[last].writer;
  nodes_[again].durable = nodes_[last].durable;
  nodes_[last].other_life = again;
  nodes_[last].closed = std::min(nodes_[last].closed, now_);
  push_back(sector.pending, again);
}

void RegisterHistory::on_repeated(std::uint32_t disk, std::uint64_t lba, SectorValue value) {
  ++now_;
  Sector& where = sector({.disk = disk, .lba = lba, .sectors = 1}, 0);
  for (const List* list : {&where.known, &where.pending}) {
    for (std::uint32_t node = list->head; node != kNil; node = nodes_[node].next) {
      // The first life is the one whose write began first.
      if (nodes_[node].value == value && !nodes_[node].answered && is_first_life(where, node)) {
        begin_next_life(where, node);
        return;
      }
    }
  }
}

bool RegisterHistory::is_first_life(const Sector& sector, std::uint32_t node) const {
  for (const List* list : {&sector.known, &sector.pending}) {
    for (std::uint32_t other = list->head; other != kNil; other = nodes_[other].next) {
      if (nodes_[other].other_life == node) {
        return false;
      }
    }
  }
  return true;
}

void RegisterHistory::on_cache_lost(std::uint32_t disk) {
  on_restart(disk);
  ++now_;
  Disk& lost = disks_[disk];
  for (const std::uint32_t lba : lost.touched) {
    lose_cache(lost.sectors[lba], lost.flushed);
  }
  // What is there now is stable.
  lost.flushed = ++now_;
  lost.cache_lost = now_;
  for (Operation& operation : operations_) {
    operation.cache_lost = operation.cache_lost ||
                           (operation.in_use && operation.is_write && operation.range.disk == disk);
  }
}

// Everything that may come after the last value known to be stable becomes a candidate: at most one
// of them is there.
void RegisterHistory::lose_cache(Sector& sector, Position flushed) {
  // What was overwritten may be there again.
  for (std::uint32_t node = sector.pending.head; node != kNil; node = nodes_[node].next) {
    if (std::exchange(nodes_[node].dead, kNever) != kNever) {
      nodes_[node].closed = std::min(nodes_[node].closed, now_);
    }
  }
  std::uint32_t stable = kNil;
  for (std::uint32_t node = sector.known.head; node != kNil; node = nodes_[node].next) {
    if (is_stable(nodes_[node], flushed)) {
      stable = node;
    }
  }
  if (stable != kNil && stable == sector.known.tail) {
    return;
  }
  const Position stable_begin = stable == kNil ? 0 : nodes_[stable].begin;
  for (std::uint32_t node = sector.known.head; node != kNil;) {
    const std::uint32_t next = nodes_[node].next;
    remove(sector.known, node);
    Node& candidate = nodes_[node];
    const bool is_before = stable != kNil && candidate.first_end < stable_begin;
    if (is_before && candidate.answered && nodes_[stable].first_end < oldest_read(sector)) {
      free_node(node);
    } else {
      candidate.known = false;
      candidate.closed = is_before ? candidate.first_end : now_;
      candidate.last_begin = candidate.begin;
      // What is seen of an answered write from now on was stable. Of one that is under way it may
      // be its next life that is seen.
      if (candidate.answered) {
        candidate.acked = std::min(candidate.acked, now_);
      }
      push_back(sector.pending, node);
    }
    node = next;
  }
}

void RegisterHistory::on_cut_off(std::uint32_t disk, std::uint64_t from) {
  ++now_;
  Disk& cut = disks_[disk];
  for (const std::uint32_t lba : cut.touched) {
    if (lba >= from) {
      drop_all(cut.sectors[lba]);
    }
  }
}

void RegisterHistory::drop_all(Sector& sector) {
  sector.anything = true;
  for (List* list : {&sector.known, &sector.pending}) {
    for (std::uint32_t node = list->head; node != kNil;) {
      const std::uint32_t next = nodes_[node].next;
      // What a ticket still names stays: it may be written again.
      if (nodes_[node].answered) {
        remove(*list, node);
        free_node(node);
      }
      node = next;
    }
  }
}

// --- words ---

std::string RegisterHistory::explain(const Sector& sector, const Range& range, std::uint32_t index,
                                     SectorValue value, Position read_begin) const {
  std::string text = "disk " + std::to_string(range.disk) + " sector " +
                     std::to_string(range.lba + index) + ": a read [" + std::to_string(read_begin) +
                     ", " + std::to_string(now_) + "] returned " + to_string(value) +
                     ", which no order of the operations explains; known:";
  for (std::uint32_t id = sector.known.head; id != kNil; id = nodes_[id].next) {
    const Node& node = nodes_[id];
    text += " " + to_string(node.value) + " [" + std::to_string(node.begin) + "; first end " +
            std::to_string(node.first_end) + ", last begin " + std::to_string(node.last_begin) +
            "]";
  }
  text += "; not seen yet:";
  for (std::uint32_t id = sector.pending.head; id != kNil; id = nodes_[id].next) {
    const Node& node = nodes_[id];
    text += " " + to_string(node.value) + " [" + std::to_string(node.begin) +
            (node.dead != kNever ? ", dead since " + std::to_string(node.dead) : std::string()) +
            "]";
  }
  return text;
}

}  // namespace aoe::sim
