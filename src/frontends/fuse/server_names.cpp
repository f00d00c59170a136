// Names, attributes and listings of the mounted directory.
#include "frontends/fuse/server.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace aoe::fuse {
namespace {

constexpr std::uint32_t kBlockBytes = 4096;
constexpr std::size_t kInfoBytesShown = 4096;  // the size of a text file, as in sysfs

std::uint32_t mode_of(ControlFile file) {
  switch (file) {
    case ControlFile::err:
      return 0440;
    case ControlFile::interfaces:
      return 0660;
    case ControlFile::discover:
    case ControlFile::revalidate:
    case ControlFile::flush:
      break;
  }
  return 0220;
}

// Places in a listing: the numbers of entries stay the same while devices come and go.
constexpr std::uint64_t kDotAt = 1;
constexpr std::uint64_t kDotDotAt = 2;
constexpr std::uint64_t kControlAt = 3;
constexpr std::uint64_t kDevicesAt = 16;

std::uint64_t place_of(DeviceAddress address) {
  return kDevicesAt +
         2 * (std::uint64_t{address.shelf.value} << 8U | std::uint64_t{address.slot.value});
}

// Entries of a directory, as many as fit.
class DirectoryListing {
 public:
  DirectoryListing(ByteSpan room, std::uint64_t from) : room_(room), from_(from) {}

  // False when it does not fit: then the kernel asks again from there.
  bool add(std::uint64_t place, std::uint64_t id, std::string_view name, std::uint32_t type) {
    if (place <= from_) {
      return true;
    }
    const std::size_t bytes = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + name.size());
    if (bytes > room_.size() - used_) {
      return false;
    }
    fuse_dirent entry{};
    entry.ino = id;
    entry.off = place;
    entry.namelen = static_cast<std::uint32_t>(name.size());
    entry.type = type >> 12U;
    const ByteSpan to = room_.subspan(used_, bytes);
    fill_zero(to);
    copy_bytes(to, std::as_bytes(std::span(&entry, 1)).first(FUSE_NAME_OFFSET));
    copy_bytes(to.subspan(FUSE_NAME_OFFSET), as_byte_span(name));
    used_ += bytes;
    return true;
  }

  bool add(std::uint64_t place, const Node& node) {
    return add(place, node_id(node), name_of(node), is_directory(node) ? S_IFDIR : S_IFREG);
  }

  [[nodiscard]] ConstByteSpan bytes() const { return room_.first(used_); }

 private:
  ByteSpan room_;
  std::uint64_t from_;
  std::size_t used_ = 0;
};

}  // namespace

std::optional<fuse_attr> Server::attributes_of(const Node& node) {
  fuse_attr attributes{};
  attributes.ino = node_id(node);
  attributes.blksize = kBlockBytes;
  attributes.nlink = 1;
  if (is_directory(node)) {
    attributes.mode = S_IFDIR | 0755;
    attributes.nlink = 2;
  }
  if (node.kind == NodeKind::root) {
    return attributes;
  }
  if (node.kind == NodeKind::control) {
    attributes.mode = S_IFREG | mode_of(node.control);
    return attributes;
  }
  const auto volume = backend_.volume(node.address);
  if (!volume) {
    return std::nullopt;
  }
  if (node.kind == NodeKind::info) {
    attributes.mode = S_IFREG | 0444;
    attributes.size = kInfoBytesShown;
  } else if (node.kind == NodeKind::device) {
    attributes.mode = S_IFREG | (volume->is_read_only ? 0400U : 0600U);
    attributes.size = volume->sectors * kSectorBytes;
    attributes.blocks = volume->sectors;
  }
  return attributes;
}

// Nothing is valid for longer than the call that asked: sizes change, devices come and go, and a
// question costs less than any of our reads.
void Server::look_up(std::uint32_t slot, const Request& request, const Node& node) {
  const std::string_view raw = as_text(request.body);
  const auto child = child_of(node, raw.substr(0, raw.find('\0')));
  const auto attributes = child ? attributes_of(*child) : std::nullopt;
  if (!attributes) {
    finish(slot, ENOENT);
    return;
  }
  fuse_entry_out out{};
  out.nodeid = node_id(*child);
  out.attr = *attributes;
  finish_with(slot, out);
}

void Server::get_attributes(std::uint32_t slot, const Node& node) {
  const auto attributes = attributes_of(node);
  if (!attributes) {
    finish(slot, ENOENT);
    return;
  }
  fuse_attr_out out{};
  out.attr = *attributes;
  finish_with(slot, out);
}

void Server::set_attributes(std::uint32_t slot, const Request& request, const Node& node) {
  const auto in = request.fixed<fuse_setattr_in>();
  const auto attributes = attributes_of(node);
  if (!in || !attributes) {
    finish(slot, in ? ENOENT : EINVAL);
    return;
  }
  // A shell that writes to a control file truncates it first; the times of files are nobody's
  // business here.
  const bool resizes = (in->valid & FATTR_SIZE) != 0 && in->size != attributes->size &&
                       node.kind != NodeKind::control;
  if (resizes || (in->valid & (FATTR_MODE | FATTR_UID | FATTR_GID)) != 0) {
    finish(slot, EPERM);
    return;
  }
  get_attributes(slot, node);
}

void Server::read_directory(std::uint32_t slot, const Request& request, const Node& node) {
  const auto in = request.fixed<fuse_read_in>();
  if (!in) {
    finish(slot, EINVAL);
    return;
  }
  const ByteSpan buffer = slots_.buffer(slot);
  DirectoryListing listing(buffer.first(std::min<std::size_t>(in->size, buffer.size())),
                           in->offset);
  bool fits = listing.add(kDotAt, node_id(node), ".", S_IFDIR) &&
              listing.add(kDotDotAt, node_id(Node{}), "..", S_IFDIR);
  if (node.kind == NodeKind::directory) {
    for (std::size_t i = 0; fits && i < kInfoFiles.size(); ++i) {
      Node info;
      info.kind = NodeKind::info;
      info.info = kInfoFiles[i];
      info.address = node.address;
      fits = listing.add(kControlAt + i, info);
    }
    finish(slot, 0, listing.bytes());
    return;
  }
  for (std::size_t i = 0; fits && i < kControlFiles.size(); ++i) {
    Node control;
    control.kind = NodeKind::control;
    control.control = kControlFiles[i];
    fits = listing.add(kControlAt + i, control);
  }
  for (auto address = backend_.next_volume(std::nullopt); fits && address;
       address = backend_.next_volume(address)) {
    Node device;
    device.kind = NodeKind::device;
    device.address = *address;
    fits = listing.add(place_of(*address), device);
    device.kind = NodeKind::directory;
    fits = fits && listing.add(place_of(*address) + 1, device);
  }
  finish(slot, 0, listing.bytes());
}

}  // namespace aoe::fuse
