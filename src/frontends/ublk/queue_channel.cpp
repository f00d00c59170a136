#include "frontends/ublk/queue_channel.h"

#include "base/check.h"
#include "os/error_text.h"
#include "os/uring_command.h"

#include <fmt/format.h>

#include <poll.h>
#include <sys/mman.h>

#include <cerrno>

namespace aoe::ublk {
namespace {

// Not a tag: the box has something.
constexpr std::uint64_t kWake = ~0ULL;

constexpr std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

Result<std::unique_ptr<QueueChannel>> QueueChannel::create(const Options& options, Disk& disk) {
  std::unique_ptr<QueueChannel> channel(new QueueChannel(options));
  AOE_TRY(channel->open(disk));
  return channel;
}

Result<void> QueueChannel::open(Disk& disk) {
  // One command a tag, and the poll.
  if (const int result = io_uring_queue_init(options_.depth + 1U, &ring_, 0); result < 0) {
    return fail(os::os_error(-result, "ublk: ring of a queue"));
  }
  has_ring_ = true;
  descriptors_bytes_ = round_up(options_.depth * sizeof(uapi::IoDescriptor), os::page_bytes());
  const std::uint64_t offset = uapi::kDescriptorsOffset + std::uint64_t{options_.queue} *
                                                              uapi::kQueueDepthMax *
                                                              sizeof(uapi::IoDescriptor);
  void* const mapped = ::mmap(nullptr, descriptors_bytes_, PROT_READ, MAP_SHARED | MAP_POPULATE,
                              options_.channel_fd, static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) {
    return fail(os::os_error(errno, "ublk: map the requests of a queue"));
  }
  descriptors_ = mapped;
  AOE_TRY_ASSIGN(buffers_,
                 os::MappedMemory::allocate(std::uint64_t{options_.depth} * options_.buffer_bytes,
                                            "ublk: buffers of a queue"));
  AOE_TRY_ASSIGN(auto event, os::EventFd::open());
  box_ = std::make_unique<CompletionBox>(std::move(event), options_.depth);
  queue_.emplace(Queue::Parts{
      .commands = *this,
      .disk = disk,
      .done = *box_,
      .descriptors = {static_cast<const uapi::IoDescriptor*>(descriptors_), options_.depth},
      .buffers = buffers_.bytes()});
  return {};
}

QueueChannel::~QueueChannel() {
  if (has_ring_) {
    io_uring_queue_exit(&ring_);
  }
  if (descriptors_ != nullptr) {
    (void)::munmap(descriptors_, descriptors_bytes_);
  }
}

void QueueChannel::run() {
  wait_for_ends();
  queue_->start();
  while (!queue_->has_ended()) {
    const int result = io_uring_submit_and_wait(&ring_, 1);
    AOE_CHECK(result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY,
              "a ring of a ublk queue takes commands");
    io_uring_cqe* done = nullptr;
    while (io_uring_peek_cqe(&ring_, &done) == 0) {
      const io_uring_cqe copy = *done;
      io_uring_cqe_seen(&ring_, done);
      handle(copy);
    }
  }
}

void QueueChannel::handle(const io_uring_cqe& done) {
  if (done.user_data != kWake) {
    queue_->handle_fetched(static_cast<std::uint16_t>(done.user_data), done.res);
    return;
  }
  for (const CompletionBox::End& end : box_->take()) {
    queue_->handle_done(end.tag, end.error);
  }
  wait_for_ends();
}

void QueueChannel::wait_for_ends() {
  io_uring_sqe* const entry = next_entry();
  io_uring_prep_poll_add(entry, box_->wait_fd(), POLLIN);
  entry->user_data = kWake;
}

void QueueChannel::fetch(std::uint16_t tag, std::span<std::byte> buffer) {
  command(uapi::kFetch,
          {.q_id = options_.queue, .tag = tag, .addr = os::address_of(buffer.data())});
}

void QueueChannel::commit_and_fetch(std::uint16_t tag, std::int32_t result,
                                    std::span<std::byte> buffer) {
  command(uapi::kCommitAndFetch, {.q_id = options_.queue,
                                  .tag = tag,
                                  .result = result,
                                  .addr = os::address_of(buffer.data())});
}

void QueueChannel::command(std::uint32_t operation, const uapi::IoCommand& command) {
  io_uring_sqe* const entry = next_entry();
  os::prepare_uring_command(*entry, options_.channel_fd, operation,
                            std::as_bytes(std::span(&command, 1)));
  entry->user_data = command.tag;
}

io_uring_sqe* QueueChannel::next_entry() {
  io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
  AOE_CHECK(entry != nullptr, "a ring of a ublk queue has an entry for every tag and the poll");
  return entry;
}

}  // namespace aoe::ublk
