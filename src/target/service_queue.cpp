#include "target/service_queue.h"

#include "base/check.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace aoe::target {

ServiceQueue::ServiceQueue(std::uint16_t requests_max)
    // Each request has one flow; the others remember caps of those that were here lately.
    : flows_(std::min<std::size_t>(std::size_t{requests_max} * 2, kNil)),
      buckets_(std::bit_ceil(flows_.size() * 2), kNil),
      jobs_(requests_max) {
  waiting_.reserve(requests_max);
  for (std::size_t i = flows_.size(); i > 0; --i) {
    flows_[i - 1].bucket_next = std::exchange(first_free_, static_cast<std::uint16_t>(i - 1));
  }
}

std::size_t ServiceQueue::bucket_of(ExportId export_id, std::uint64_t initiator) const {
  const std::uint64_t key = initiator ^ std::uint64_t{export_id.value} << 16U;
  return (key * 0x9E3779B97F4A7C15ULL >> 32U) & (buckets_.size() - 1);
}

std::uint16_t ServiceQueue::find(ExportId export_id, std::uint64_t initiator) const {
  std::uint16_t flow = buckets_[bucket_of(export_id, initiator)];
  while (flow != kNil &&
         (flows_[flow].export_id != export_id || flows_[flow].initiator != initiator)) {
    flow = flows_[flow].bucket_next;
  }
  return flow;
}

std::uint16_t ServiceQueue::make(Instant now, ExportId export_id, std::uint64_t initiator) {
  if (first_free_ == kNil) {
    forget(idle_flow_to_forget(now));
  }
  const std::uint16_t chosen = first_free_;
  Flow& flow = flows_[chosen];
  first_free_ = flow.bucket_next;
  flow.export_id = export_id;
  flow.initiator = initiator;
  std::uint16_t& bucket = buckets_[bucket_of(export_id, initiator)];
  flow.bucket_next = bucket;
  bucket = chosen;
  return chosen;
}

// One whose caps have recovered, and if there is none, any: there are twice as many as requests.
std::uint16_t ServiceQueue::idle_flow_to_forget(Instant now) {
  std::uint16_t chosen = kNil;
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    const std::uint16_t place = look_for_idle_;
    look_for_idle_ = static_cast<std::uint16_t>((look_for_idle_ + 1U) % flows_.size());
    const Flow& flow = flows_[place];
    if (flow.outstanding != 0) {
      continue;
    }
    if (flow.limit.is_full(now)) {
      return place;
    }
    chosen = chosen == kNil ? place : chosen;
  }
  AOE_CHECK(chosen != kNil, "there are more flows than requests");
  return chosen;
}

void ServiceQueue::forget(std::uint16_t flow) {
  std::uint16_t* link = &buckets_[bucket_of(flows_[flow].export_id, flows_[flow].initiator)];
  while (*link != flow) {
    link = &flows_[*link].bucket_next;
  }
  Flow& of = flows_[flow];
  *link = std::exchange(of.bucket_next, first_free_);
  first_free_ = flow;
  // Nothing else is left of one that is idle.
  of.limit = {};
}

std::uint32_t ServiceQueue::weight_of(const Owner& owner) {
  for (const InitiatorWeight& listed : owner.settings->weights) {
    if (listed.mac == owner.initiator) {
      return listed.weight;
    }
  }
  return 1;
}

ServiceQueue::Share ServiceQueue::share_of(const Owner& owner, std::uint32_t limit) const {
  const std::uint16_t flow = find(owner.export_id, owner.initiator.key());
  const bool is_known = flow != kNil && flows_[flow].outstanding != 0;
  const std::uint64_t weight = is_known ? flows_[flow].weight : weight_of(owner);
  const std::uint64_t all = owner.state->weights + (is_known ? 0 : weight);
  return {.outstanding = is_known ? flows_[flow].outstanding : 0,
          .allowed = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, limit * weight / all))};
}

bool ServiceQueue::has_room(const ServiceState& state, std::uint32_t window_max) {
  // Alone nobody has to be fair to anybody.
  return state.flows < 2 || state.in_service < state.rate.window(window_max);
}

bool ServiceQueue::begin(Instant now, std::uint16_t slot, const Owner& owner,
                         std::uint64_t size_bytes) {
  const std::uint64_t initiator = owner.initiator.key();
  std::uint16_t flow = find(owner.export_id, initiator);
  if (flow == kNil) {
    flow = make(now, owner.export_id, initiator);
  }
  Flow& of = flows_[flow];
  ServiceState& state = *owner.state;
  if (of.outstanding++ == 0) {
    of.weight = weight_of(owner);
    ++state.flows;
    state.weights += of.weight;
  }
  if (state.flows > 1) {
    state.rate.contended(now);
  }
  Job& job = jobs_[slot];
  job = {.settings = owner.settings,
         .state = owner.state,
         .window_max = owner.window_max,
         .size_bytes = size_bytes,
         .begun = now,
         .flow = flow,
         .next = kNil};
  const bool is_capped = (owner.settings->all.any() && state.limit.ready_at() > now) ||
                         (owner.settings->each.any() && of.limit.ready_at() > now);
  if (state.queued == 0 && !is_capped && has_room(state, owner.window_max)) {
    serve(now, job, of);
    return true;
  }
  ++state.held_back;
  append(flow, slot, state);
  if (is_capped) {
    wake_at(std::max(state.limit.ready_at(), of.limit.ready_at()));
  }
  return false;
}

void ServiceQueue::append(std::uint16_t flow, std::uint16_t slot, ServiceState& state) {
  Flow& of = flows_[flow];
  (of.first == kNil ? of.first : jobs_[of.last].next) = slot;
  of.last = slot;
  if (of.queued++ == 0) {
    enter_ring(flow, state);
  }
  ++state.queued;
  if (!state.is_waiting) {
    state.is_waiting = true;
    waiting_.push_back(slot);
  }
}

void ServiceQueue::enter_ring(std::uint16_t flow, ServiceState& state) {
  Flow& of = flows_[flow];
  of.deficit_bytes = 0;
  if (state.next_flow == kNil) {
    of.ring_next = flow;
    of.ring_previous = flow;
    state.next_flow = flow;
    return;
  }
  // Behind all others: before the one whose turn is next.
  Flow& first = flows_[state.next_flow];
  of.ring_next = state.next_flow;
  of.ring_previous = first.ring_previous;
  flows_[first.ring_previous].ring_next = flow;
  first.ring_previous = flow;
}

void ServiceQueue::leave_ring(std::uint16_t flow, ServiceState& state) {
  const Flow& of = flows_[flow];
  if (of.ring_next == flow) {
    state.next_flow = kNil;
    return;
  }
  flows_[of.ring_previous].ring_next = of.ring_next;
  flows_[of.ring_next].ring_previous = of.ring_previous;
  if (state.next_flow == flow) {
    state.next_flow = of.ring_next;
  }
}

void ServiceQueue::serve(Instant now, Job& job, Flow& flow) {
  job.begun = now;
  ++job.state->in_service;
  job.state->limit.spend(now, job.settings->all, job.size_bytes);
  flow.limit.spend(now, job.settings->each, job.size_bytes);
}

void ServiceQueue::wake_at(Instant time) {
  if (!wake_ || time < *wake_) {
    wake_ = time;
  }
}

std::optional<std::uint16_t> ServiceQueue::next(Instant now) {
  wake_.reset();
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const std::uint16_t known = waiting_[i];
    const Job any = jobs_[known];
    ServiceState& state = *any.state;
    const auto slot = next_of(now, any);
    if (!slot) {
      continue;
    }
    if (state.queued == 0) {
      state.is_waiting = false;
      waiting_[i] = waiting_.back();
      waiting_.pop_back();
    } else if (*slot == known) {
      waiting_[i] = flows_[state.next_flow].first;
    }
    return slot;
  }
  return std::nullopt;
}

std::optional<std::uint16_t> ServiceQueue::next_of(Instant now, const Job& any) {
  ServiceState& state = *any.state;
  const ServiceSettings& settings = *any.settings;
  if (!has_room(state, any.window_max)) {
    return std::nullopt;  // ended() makes room
  }
  if (settings.all.any() && state.limit.ready_at() > now) {
    wake_at(state.limit.ready_at());
    return std::nullopt;
  }
  // A round in which nobody may pass ends it; otherwise somebody's deficit grows to what his
  // request costs.
  const std::uint16_t stop_at = state.next_flow;
  bool is_anybody_ready = false;
  for (;;) {
    const std::uint16_t flow = state.next_flow;
    Flow& of = flows_[flow];
    const bool is_capped = settings.each.any() && of.limit.ready_at() > now;
    if (is_capped) {
      wake_at(of.limit.ready_at());
    } else {
      is_anybody_ready = true;
      const std::uint16_t slot = of.first;
      Job& job = jobs_[slot];
      const std::uint64_t cost_bytes = job.size_bytes + kRequestBytes;
      if (of.deficit_bytes >= cost_bytes) {
        of.deficit_bytes -= cost_bytes;
        of.first = job.next;
        job.next = kNil;
        --state.queued;
        if (--of.queued == 0) {
          of.last = kNil;
          leave_ring(flow, state);
        }
        serve(now, job, of);
        return slot;
      }
      of.deficit_bytes += kQuantumBytes * of.weight;
    }
    state.next_flow = of.ring_next;
    if (state.next_flow == stop_at && !is_anybody_ready) {
      return std::nullopt;
    }
  }
}

void ServiceQueue::ended(Instant now, std::uint16_t slot) {
  const Job& job = jobs_[slot];
  ServiceState& state = *job.state;
  --state.in_service;
  state.rate.ended(now, job.begun, state.in_service);
  Flow& of = flows_[job.flow];
  if (--of.outstanding == 0) {
    --state.flows;
    state.weights -= of.weight;
    // Forgotten at once, so that the few flows in use are those that the processor's cache holds;
    // but not what its caps have to remember.
    if (of.limit.is_full(now)) {
      forget(job.flow);
    }
  }
}

}  // namespace aoe::target
