#include "support/model_disk.h"

#include "base/check.h"

#include <algorithm>
#include <string>

namespace aoe::test {

void ModelDisk::check(const StoreOp& op) {
  const auto complain = [this](const char* what) { problems_ += std::string(what) + "\n"; };
  if (op.offset_bytes % kSectorBytes != 0 || op.length_bytes % kSectorBytes != 0) {
    complain("an operation is not made of whole sectors");
  }
  if (op.offset_bytes + op.length_bytes > sector_count_ * kSectorBytes) {
    complain("an operation reaches past the end of the disk");
  }
  const bool has_data = op.kind == StoreOpKind::read || op.kind == StoreOpKind::write;
  if (has_data && (op.data.size() != op.length_bytes || op.length_bytes == 0)) {
    complain("the data of a read or write is not as long as its range");
  }
  if (op.kind == StoreOpKind::flush && op.length_bytes != 0) {
    complain("a flush has a length");
  }
  for (const StoreOp& other : waiting_) {
    if (other.tag == op.tag) {
      complain("two operations in flight have the same tag");
    }
    const bool is_overlap = other.offset_bytes < op.offset_bytes + op.length_bytes &&
                            op.offset_bytes < other.offset_bytes + other.length_bytes;
    if (is_overlap && (other.kind != StoreOpKind::read || op.kind != StoreOpKind::read)) {
      complain("two overlapping operations are in flight at once");
    }
  }
}

std::optional<StoreCompletion> ModelDisk::submit(const StoreOp& op) {
  check(op);
  log_.push_back(
      {op.kind, op.durability, op.offset_bytes / kSectorBytes, op.length_bytes / kSectorBytes});
  if (is_holding_) {
    waiting_.push_back(op);
    return std::nullopt;
  }
  if (const auto failed = take_failure(op)) {
    return failed;
  }
  execute(op);
  return StoreCompletion{.tag = op.tag, .status = StoreErrc::ok, .error_offset_bytes = 0};
}

std::optional<StoreCompletion> ModelDisk::take_failure(const StoreOp& op) {
  const std::uint64_t first = op.offset_bytes / kSectorBytes;
  const std::uint64_t end = first + op.length_bytes / kSectorBytes;
  const auto found = std::find_if(failures_.begin(), failures_.end(), [&](const Failure& failure) {
    return (!failure.kind || *failure.kind == op.kind) &&
           (!failure.at_lba || (*failure.at_lba >= first && *failure.at_lba < end));
  });
  if (found == failures_.end()) {
    return std::nullopt;
  }
  const StoreCompletion completion{
      .tag = op.tag,
      .status = found->status,
      .error_offset_bytes = found->at_lba ? *found->at_lba * kSectorBytes : op.offset_bytes};
  if (--found->times == 0) {
    failures_.erase(found);
  }
  return completion;
}

StoreCompletion ModelDisk::finish(std::size_t index, StoreErrc status) {
  AOE_CHECK(index < waiting_.size(), "the test finishes an operation that waits");
  const StoreOp op = waiting_[index];
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
  if (status == StoreErrc::ok) {
    execute(op);
    return {.tag = op.tag, .status = StoreErrc::ok, .error_offset_bytes = 0};
  }
  return {.tag = op.tag, .status = status, .error_offset_bytes = op.offset_bytes};
}

void ModelDisk::execute(const StoreOp& op) {
  const std::uint64_t first = op.offset_bytes / kSectorBytes;
  switch (op.kind) {
    case StoreOpKind::read:
      copy_bytes(op.data, peek(first, op.length_bytes / kSectorBytes));
      return;
    case StoreOpKind::write:
      poke(first, op.data);
      return;
    case StoreOpKind::discard:
    case StoreOpKind::write_zeroes:
      sectors_.erase(sectors_.lower_bound(first),
                     sectors_.lower_bound(first + op.length_bytes / kSectorBytes));
      return;
    case StoreOpKind::flush:
      return;
  }
}

Bytes ModelDisk::peek(std::uint64_t lba, std::uint64_t sectors) const {
  Bytes bytes(sectors * kSectorBytes, blank_);
  for (std::uint64_t i = 0; i < sectors; ++i) {
    if (const auto found = sectors_.find(lba + i); found != sectors_.end()) {
      copy_bytes(ByteSpan(bytes).subspan(i * kSectorBytes), found->second);
    }
  }
  return bytes;
}

void ModelDisk::poke(std::uint64_t lba, ConstByteSpan data) {
  for (std::size_t i = 0; i * kSectorBytes < data.size(); ++i) {
    const ConstByteSpan sector = data.subspan(i * kSectorBytes, kSectorBytes);
    sectors_[lba + i].assign(sector.begin(), sector.end());
  }
}

}  // namespace aoe::test
