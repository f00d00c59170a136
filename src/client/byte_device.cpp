#include "client/byte_device.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

namespace aoe::client {
namespace {

constexpr std::uint64_t kPartsPerJob = 4;  // three ranges and a flush

bool changes_data(IoOp op) {
  return op != IoOp::read && op != IoOp::flush;
}

// Every sector that a range touches.
SectorRun covered(const ByteRequest& request) {
  const std::uint64_t first = request.offset / kSectorBytes;
  const std::uint64_t last = (request.offset + request.bytes - 1) / kSectorBytes;
  return {.lba = Lba{first}, .sectors = last - first + 1};
}

bool contains(const SectorRun& run, Lba lba) {
  return lba >= run.lba && lba.value - run.lba.value < run.sectors;
}

bool overlap(const SectorRun& a, const SectorRun& b) {
  return contains(a, b.lba) || contains(b, a.lba);
}

ByteSpan part_of(std::array<std::byte, kSectorBytes>& sector, const SectorEdge& edge) {
  return ByteSpan(sector).subspan(edge.begin, edge.bytes);
}

std::string describe(const Device& device, const ByteRequest& request) {
  return request.op == IoOp::flush
             ? fmt::format("{}: flush", to_string(device.address()))
             : fmt::format("{}: {} of {} bytes at {}", to_string(device.address()),
                           initiator::io_op_name(request.op), request.bytes, request.offset);
}

}  // namespace

ByteDevice::ByteDevice(std::unique_ptr<Device> device, std::uint32_t requests_max)
    : device_(std::move(device)), jobs_(requests_max), done_(requests_max) {
  free_.reserve(requests_max);
  for (std::uint32_t i = requests_max; i > 0; --i) {
    free_.push_back(i - 1);
  }
  editing_.reserve(requests_max);
  held_.reserve(requests_max);
}

ByteDevice::~ByteDevice() = default;

// --- admission ---

Result<void> ByteDevice::check(const ByteRequest& request) const {
  const auto refuse = [&](Errc code, int os_errno, const std::string& why) {
    return fail_with(code, os_errno, fmt::format("{}: {}", describe(*device_, request), why));
  };
  const protocol::IdentifyModel* identity = device_->identity();
  if (identity == nullptr) {
    return refuse(Errc::unavailable, 0, "the device was never up");
  }
  if (changes_data(request.op) && device_->access() == Access::read_only) {
    return refuse(Errc::not_permitted, EROFS, "the device was opened read-only");
  }
  if (request.op == IoOp::flush) {
    return {};
  }
  if (request.op == IoOp::trim && !identity->has_trim) {
    return refuse(Errc::unsupported, 0, "the target has no trim");
  }
  if (request.bytes == 0) {
    return refuse(Errc::invalid_argument, 0, "nothing to do");
  }
  const std::uint64_t size = size_bytes();
  if (request.bytes > size || request.offset > size - request.bytes) {
    return refuse(Errc::invalid_argument, 0,
                  fmt::format("past the end of the device ({} bytes)", size));
  }
  return {};
}

// A changed sector is written back with what was read before. A write to that sector submitted in
// between would be undone. Once the write-back is submitted the core keeps the order.
bool ByteDevice::must_wait(const Job& job) const {
  const SectorRun run = covered(job.request);
  const auto edits = [&](std::uint32_t index) {
    const ByteSplit& split = jobs_[index].split;
    return (split.head.bytes != 0 && contains(run, split.head.lba)) ||
           (split.tail.bytes != 0 && contains(run, split.tail.lba));
  };
  if (std::any_of(editing_.begin(), editing_.end(), edits)) {
    return true;
  }
  // And nobody overtakes who waits.
  for (const std::uint32_t index : held_) {
    if (&jobs_[index] == &job) {
      return false;
    }
    if (overlap(run, covered(jobs_[index].request))) {
      return true;
    }
  }
  return false;
}

Result<void> ByteDevice::submit(const ByteRequest& request) {
  AOE_TRY(check(request));
  if (free_.empty()) {
    return fail_with(
        Errc::busy, 0,
        fmt::format("{}: {} requests are outstanding", describe(*device_, request), jobs_.size()));
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Job& job = jobs_[index];
  job.request = request;
  job.split = split_bytes(request.offset, request.bytes);
  if (request.op == IoOp::trim) {
    job.split.head = {};
    job.split.tail = {};
  }
  if (changes_data(request.op) && must_wait(job)) {
    job.stage = Stage::held;
    held_.push_back(index);
    return {};
  }
  start(index);
  if (job.pending == 0 && job.error) {
    auto error = aoe::fail(*std::move(job.error));
    release(index);
    return error;
  }
  if (job.pending == 0) {
    finish(index);  // a trim of less than a sector
  }
  return {};
}

// --- parts ---

void ByteDevice::start(std::uint32_t index) {
  Job& job = jobs_[index];
  const bool edits = changes_data(job.request.op) && !job.split.is_aligned();
  job.stage = edits ? Stage::editing : Stage::moving;
  if (edits || job.request.op == IoOp::read) {
    submit_edge(index, Part::head, IoOp::read);
    submit_edge(index, Part::tail, IoOp::read);
  }
  if (job.request.op == IoOp::flush) {
    submit_part(index, Part::flush, {.op = IoOp::flush});
  } else if (!edits) {
    submit_middle(index);
  }
  if (edits && job.pending != 0) {
    editing_.push_back(index);
  }
}

void ByteDevice::submit_part(std::uint32_t index, Part part, IoRequest io) {
  Job& job = jobs_[index];
  if (job.error) {
    return;
  }
  io.cookie = index * kPartsPerJob + static_cast<std::uint64_t>(part);
  if (auto accepted = device_->submit(io); accepted) {
    ++job.pending;
  } else {
    job.error = std::move(accepted).error();
  }
}

void ByteDevice::submit_edge(std::uint32_t index, Part part, IoOp op) {
  Job& job = jobs_[index];
  const SectorEdge& edge = part == Part::head ? job.split.head : job.split.tail;
  const ByteSpan sector = part == Part::head ? job.head : job.tail;
  if (edge.bytes == 0) {
    return;
  }
  submit_part(index, part,
              {.op = op,
               .lba = edge.lba,
               .sectors = 1,
               .read_into = op == IoOp::read ? sector : ByteSpan{},
               .write_from = op == IoOp::read ? ConstByteSpan{} : sector});
}

void ByteDevice::submit_middle(std::uint32_t index) {
  const Job& job = jobs_[index];
  const SectorRun& run = job.split.middle;
  if (run.sectors == 0) {
    return;
  }
  const std::uint64_t bytes = run.sectors * kSectorBytes;
  IoRequest io{.op = job.request.op, .lba = run.lba, .sectors = run.sectors};
  if (io.op == IoOp::read) {
    io.read_into = job.request.read_into.subspan(run.range_begin, bytes);
  } else if (io.op == IoOp::write) {
    io.write_from = job.request.write_from.subspan(run.range_begin, bytes);
  }
  submit_part(index, Part::middle, io);
}

void ByteDevice::write_edges(std::uint32_t index) {
  Job& job = jobs_[index];
  const auto change = [&](std::array<std::byte, kSectorBytes>& sector, const SectorEdge& edge) {
    if (job.request.op == IoOp::write) {
      copy_bytes(part_of(sector, edge),
                 job.request.write_from.subspan(edge.range_begin, edge.bytes));
    } else {
      fill_zero(part_of(sector, edge));
    }
  };
  change(job.head, job.split.head);
  change(job.tail, job.split.tail);
  submit_edge(index, Part::head, IoOp::write);
  submit_edge(index, Part::tail, IoOp::write);
}

// --- completions ---

std::size_t ByteDevice::take(std::span<ByteCompletion> out) {
  std::array<IoCompletion, 64> batch;
  while (device_ != nullptr) {
    const std::size_t count = device_->take(batch);
    for (const IoCompletion& completion : std::span(batch).first(count)) {
      on_completion(completion);
    }
    if (count < batch.size()) {
      break;
    }
  }
  std::size_t count = 0;
  while (count < out.size() && !done_.empty()) {
    const std::uint32_t index = done_.pop();
    out[count++] = {.cookie = jobs_[index].request.cookie, .error = std::move(jobs_[index].error)};
    release(index);
  }
  return count;
}

void ByteDevice::on_completion(const IoCompletion& completion) {
  const auto index = static_cast<std::uint32_t>(completion.cookie / kPartsPerJob);
  const auto part = static_cast<Part>(completion.cookie % kPartsPerJob);
  Job& job = jobs_[index];
  if (completion.status != IoStatus::ok) {
    if (!job.error) {
      job.error = device_->error_of(completion);
    }
  } else if (job.request.op == IoOp::read && part != Part::middle) {
    const bool is_head = part == Part::head;
    const SectorEdge& edge = is_head ? job.split.head : job.split.tail;
    copy_bytes(job.request.read_into.subspan(edge.range_begin, edge.bytes),
               part_of(is_head ? job.head : job.tail, edge));
  }
  if (--job.pending == 0) {
    advance(index);
  }
}

void ByteDevice::advance(std::uint32_t index) {
  Job& job = jobs_[index];
  const bool edited = job.stage == Stage::editing;
  if (edited) {
    editing_.erase(std::find(editing_.begin(), editing_.end(), index));
    if (!job.error) {
      job.stage = Stage::moving;
      write_edges(index);
      submit_middle(index);
    }
  } else if (job.stage == Stage::moving && !job.error && changes_data(job.request.op) &&
             job.request.durability == Durability::at_once &&
             device_->identity()->write_cache_enabled) {
    // A disk without a volatile cache has made it durable already.
    job.stage = Stage::flushing;
    submit_part(index, Part::flush, {.op = IoOp::flush});
  }
  if (job.pending == 0) {
    finish(index);
  }
  if (edited) {
    release_held();
  }
}

void ByteDevice::finish(std::uint32_t index) {
  jobs_[index].stage = Stage::done;
  done_.push(index);
}

void ByteDevice::release(std::uint32_t index) {
  jobs_[index].stage = Stage::free;
  jobs_[index].error.reset();
  free_.push_back(index);
}

void ByteDevice::release_held() {
  for (std::size_t i = 0; i < held_.size();) {
    const std::uint32_t index = held_[i];
    if (must_wait(jobs_[index])) {
      ++i;
      continue;
    }
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    start(index);
    if (jobs_[index].pending == 0) {
      finish(index);
    }
  }
}

void ByteDevice::close() {
  if (device_ == nullptr) {
    return;
  }
  const std::string name = to_string(device_->address());
  device_.reset();
  for (std::uint32_t index = 0; index < jobs_.size(); ++index) {
    Job& job = jobs_[index];
    if (job.stage != Stage::free && job.stage != Stage::done) {
      job.error = Error{Errc::unavailable, ECANCELED,
                        fmt::format("{}: {}: the device was closed", name,
                                    initiator::io_op_name(job.request.op))};
      job.pending = 0;
      finish(index);
    }
  }
  editing_.clear();
  held_.clear();
}

}  // namespace aoe::client
