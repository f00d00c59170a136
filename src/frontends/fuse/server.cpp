#include "frontends/fuse/server.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

namespace aoe::fuse {
namespace {

// Headers of a request, and what the kernel wants beyond them (FUSE_MIN_READ_BUFFER is 8192).
constexpr std::size_t kHeadersBytesMax = 4096;
constexpr std::uint32_t kBlockBytes = 4096;
constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kControlBytesMax = 1024;  // of a write, as the Linux driver's interface list
// FUSE_HAS_RESEND (1ULL << 39) of Linux 6.9, which older headers do not have, in the second word.
constexpr std::uint32_t kHasResend = 1U << 7U;

}  // namespace

Result<std::unique_ptr<Server>> Server::create(int fd, Backend& backend, Options options) {
  AOE_TRY_ASSIGN(auto slots,
                 SlotPool::create(options.slots, options.io_bytes_max + kHeadersBytesMax));
  return std::unique_ptr<Server>(new Server(fd, backend, options, std::move(slots)));
}

Server::Server(int fd, Backend& backend, Options options, SlotPool slots)
    : backend_(backend),
      options_(options),
      connection_(fd),
      slots_(std::move(slots)),
      io_(backend_, connection_, slots_) {}

void Server::finish(std::uint32_t slot, int os_errno, ConstByteSpan body) {
  connection_.answer(slots_.at(slot).unique, os_errno, body);
  slots_.give_back(slot);
}

// --- requests in, completions in ---

void Server::handle_readable() {
  while (!is_closed_ && !is_stopped_) {
    const auto slot = slots_.take();
    is_starved_ = !slot;
    if (!slot) {
      return;
    }
    Request request;
    switch (connection_.read(slots_.request(*slot), request)) {
      case Connection::ReadResult::request:
        slots_.at(*slot).unique = request.header.unique;
        dispatch(*slot, request);
        break;
      case Connection::ReadResult::none:
        slots_.give_back(*slot);
        return;
      case Connection::ReadResult::closed:
        slots_.give_back(*slot);
        is_closed_ = true;
        return;
    }
  }
}

void Server::handle_completion(const client::IoCompletion& completion) {
  io_.handle_completion(completion);
  if (is_starved_) {
    handle_readable();
  }
}

bool Server::is_busy() const {
  const auto waiting = std::count_if(readers_.begin(), readers_.end(),
                                     [](const auto& reader) { return reader.slot != kNoSlot; });
  return slots_.in_use() > static_cast<std::size_t>(waiting);
}

void Server::handle_resize(DeviceAddress address) {
  Node node;
  node.kind = NodeKind::device;
  node.address = address;
  connection_.invalidate_attributes(node_id(node));
}

void Server::dispatch(std::uint32_t slot, const Request& request) {
  switch (request.header.opcode) {
    case FUSE_INIT:
      initialise(slot, request);
      return;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
      slots_.give_back(slot);  // nothing is remembered, and nobody waits for an answer
      return;
    case FUSE_INTERRUPT:
      slots_.give_back(slot);
      interrupt(request);
      return;
    case FUSE_DESTROY:
      finish(slot, 0);
      is_closed_ = true;
      return;
    case FUSE_STATFS: {
      fuse_statfs_out out{};
      out.st.bsize = kBlockBytes;
      out.st.frsize = kBlockBytes;
      out.st.namelen = kNameBytesMax;
      finish_with(slot, out);
      return;
    }
    default:
      break;
  }
  const auto node = node_of(request.header.nodeid);
  if (!node) {
    finish(slot, ESTALE);
  } else if (!dispatch_names(slot, request, *node)) {
    dispatch_data(slot, request, *node);
  }
}

bool Server::dispatch_names(std::uint32_t slot, const Request& request, const Node& node) {
  switch (request.header.opcode) {
    case FUSE_LOOKUP:
      look_up(slot, request, node);
      return true;
    case FUSE_GETATTR:
      get_attributes(slot, node);
      return true;
    case FUSE_SETATTR:
      set_attributes(slot, request, node);
      return true;
    case FUSE_OPENDIR:
      finish_with(slot, fuse_open_out{});
      return true;
    case FUSE_READDIR:
      read_directory(slot, request, node);
      return true;
    case FUSE_RELEASEDIR:
    case FUSE_FSYNCDIR:
      finish(slot, 0);
      return true;
    case FUSE_MKNOD:
    case FUSE_MKDIR:
    case FUSE_CREATE:
    case FUSE_SYMLINK:
    case FUSE_LINK:
    case FUSE_UNLINK:
    case FUSE_RMDIR:
    case FUSE_RENAME:
    case FUSE_RENAME2:
      finish(slot, EPERM);
      return true;
    default:
      return false;
  }
}

void Server::dispatch_data(std::uint32_t slot, const Request& request, const Node& node) {
  switch (request.header.opcode) {
    case FUSE_OPEN:
      open(slot, request, node);
      return;
    case FUSE_RELEASE:
      release(slot, request, node);
      return;
    case FUSE_READ:
      read(slot, request, node);
      return;
    case FUSE_WRITE:
      write(slot, request, node);
      return;
    case FUSE_FLUSH:
      // Of close(): a block device does not empty the disk's cache there either.
      finish(slot, 0);
      return;
    case FUSE_FSYNC:
    case FUSE_FALLOCATE: {
      const auto volume =
          node.kind == NodeKind::device ? backend_.volume(node.address) : std::nullopt;
      if (!volume) {
        finish(slot, node.kind == NodeKind::device         ? ENODEV
                     : request.header.opcode == FUSE_FSYNC ? 0
                                                           : EOPNOTSUPP);
      } else if (request.header.opcode == FUSE_FSYNC) {
        io_.sync(slot, {node.address, *volume});
      } else if (const auto in = request.fixed<fuse_fallocate_in>()) {
        io_.allocate(slot, {node.address, *volume}, *in);
      } else {
        finish(slot, EINVAL);
      }
      return;
    }
    default:
      finish(slot, ENOSYS);
      return;
  }
}

void Server::initialise(std::uint32_t slot, const Request& request) {
  // Linux before 5.17 sends less than all of it.
  fuse_init_in in{};
  const std::size_t bytes = std::min(sizeof in, request.body.size());
  copy_bytes(std::as_writable_bytes(std::span(&in, 1)), request.body.first(bytes));
  if (bytes < offsetof(fuse_init_in, flags2) || in.major != FUSE_KERNEL_VERSION) {
    finish(slot, EPROTO);
    return;
  }
  kernel_asks_again_ = (in.flags & FUSE_INIT_EXT) != 0 && (in.flags2 & kHasResend) != 0;
  // Requests of one program in parallel (without FUSE_ASYNC_DIO a loop device above us would work
  // at a depth of one), and O_TRUNC told to us, who ignore it, instead of a change of size.
  constexpr std::uint32_t kWanted = FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_MAX_PAGES |
                                    FUSE_ASYNC_DIO | FUSE_ATOMIC_O_TRUNC | FUSE_PARALLEL_DIROPS;
  fuse_init_out out{};
  out.major = FUSE_KERNEL_VERSION;
  out.minor = FUSE_KERNEL_MINOR_VERSION;
  out.flags = in.flags & kWanted;
  out.max_readahead = in.max_readahead;
  out.max_write = options_.io_bytes_max;
  out.max_pages = static_cast<std::uint16_t>(options_.io_bytes_max / kBlockBytes);
  out.max_background = static_cast<std::uint16_t>(options_.slots);
  out.congestion_threshold = static_cast<std::uint16_t>(options_.slots / 4 * 3);
  out.time_gran = 1;
  finish_with(slot, out);
}

// --- open and release ---

void Server::open(std::uint32_t slot, const Request& request, const Node& node) {
  const auto in = request.fixed<fuse_open_in>();
  if (!in || is_directory(node)) {
    finish(slot, in ? EISDIR : EINVAL);
    return;
  }
  if (node.kind == NodeKind::control && node.control == ControlFile::err) {
    open_events(slot);
    return;
  }
  fuse_open_out out{};
  out.open_flags = FOPEN_DIRECT_IO;
  if (node.kind == NodeKind::device) {
    const auto volume = backend_.volume(node.address);
    const bool writes = (in->flags & O_ACCMODE) != O_RDONLY;
    if (volume && volume->is_read_only && writes) {
      finish(slot, EROFS);
      return;
    }
    if (const int failed = volume ? backend_.open(node.address) : ENODEV; failed != 0) {
      finish(slot, failed);
      return;
    }
    io_.open(node.address);
    out.open_flags |= FOPEN_PARALLEL_DIRECT_WRITES;
  }
  finish_with(slot, out);
}

void Server::open_events(std::uint32_t slot) {
  const auto free = std::find_if(readers_.begin(), readers_.end(),
                                 [](const EventReader& reader) { return !reader.is_open; });
  if (free == readers_.end()) {
    finish(slot, EMFILE);
    return;
  }
  *free = {.is_open = true, .seen = backend_.last_event(), .slot = kNoSlot};
  fuse_open_out out{};
  out.open_flags = FOPEN_DIRECT_IO | FOPEN_NONSEEKABLE;
  out.fh = static_cast<std::uint64_t>(free - readers_.begin());
  finish_with(slot, out);
}

void Server::release(std::uint32_t slot, const Request& request, const Node& node) {
  if (node.kind == NodeKind::device) {
    backend_.release(node.address);
  } else if (node.kind == NodeKind::control && node.control == ControlFile::err) {
    const auto in = request.fixed<fuse_release_in>();
    if (in && in->fh < readers_.size()) {
      readers_[in->fh] = {};
    }
  }
  finish(slot, 0);
}

// --- reading and writing ---

void Server::read(std::uint32_t slot, const Request& request, const Node& node) {
  const auto in = request.fixed<fuse_read_in>();
  if (!in) {
    finish(slot, EINVAL);
    return;
  }
  switch (node.kind) {
    case NodeKind::device:
      if (const auto volume = backend_.volume(node.address)) {
        io_.read(slot, {node.address, *volume}, *in);
      } else {
        finish(slot, ENODEV);
      }
      return;
    case NodeKind::info:
      read_text(slot, *in, backend_.read_info(node.address, node.info));
      return;
    case NodeKind::control:
      if (node.control == ControlFile::err) {
        read_events(slot, *in);
      } else {
        read_text(slot, *in, backend_.read_control(node.control));
      }
      return;
    case NodeKind::root:
    case NodeKind::directory:
      finish(slot, EISDIR);
      return;
  }
}

void Server::read_text(std::uint32_t slot, const fuse_read_in& in, std::string_view text) {
  const std::size_t begin =
      static_cast<std::size_t>(std::min<std::uint64_t>(in.offset, text.size()));
  finish(slot, 0, as_byte_span(text.substr(begin, in.size)));
}

void Server::read_events(std::uint32_t slot, const fuse_read_in& in) {
  if (in.fh >= readers_.size() || !readers_[in.fh].is_open) {
    finish(slot, EBADF);
    return;
  }
  EventReader& reader = readers_[in.fh];
  if (answer_event(reader, slot)) {
    return;
  }
  if ((in.flags & static_cast<std::uint32_t>(O_NONBLOCK)) != 0 || reader.slot != kNoSlot) {
    finish(slot, EAGAIN);
    return;
  }
  slots_.at(slot).step = Step::event;
  reader.slot = slot;
}

// One message a read, as the driver has it. False: there is none.
bool Server::answer_event(EventReader& reader, std::uint32_t slot) {
  const auto event = backend_.next_event(reader.seen);
  if (!event) {
    return false;
  }
  reader.seen = event->number;
  finish(slot, 0, as_byte_span(event->line));
  return true;
}

void Server::handle_event() {
  for (EventReader& reader : readers_) {
    if (reader.slot != kNoSlot && answer_event(reader, reader.slot)) {
      reader.slot = kNoSlot;
    }
  }
}

void Server::interrupt(const Request& request) {
  const auto in = request.fixed<fuse_interrupt_in>();
  for (EventReader& reader : readers_) {
    if (in && reader.slot != kNoSlot && slots_.at(reader.slot).unique == in->unique) {
      finish(reader.slot, EINTR);
      reader.slot = kNoSlot;
    }
  }
  // Everything else ends in time.
}

void Server::write(std::uint32_t slot, const Request& request, const Node& node) {
  const auto in = request.fixed<fuse_write_in>();
  const ConstByteSpan data = request.rest<fuse_write_in>();
  if (!in || data.size() < in->size) {
    finish(slot, EINVAL);
    return;
  }
  if (node.kind == NodeKind::device) {
    const auto volume = backend_.volume(node.address);
    if (!volume) {
      finish(slot, ENODEV);
    } else if (volume->is_read_only) {
      finish(slot, EROFS);
    } else {
      io_.write(slot, {node.address, *volume}, *in);
    }
    return;
  }
  if (node.kind != NodeKind::control) {
    finish(slot, EPERM);
    return;
  }
  if (in->size > kControlBytesMax) {
    finish(slot, EINVAL);
    return;
  }
  const int failed = backend_.write_control(node.control, as_text(data.first(in->size)));
  if (failed != 0) {
    finish(slot, failed);
    return;
  }
  fuse_write_out out{};
  out.size = in->size;
  finish_with(slot, out);
}

}  // namespace aoe::fuse
