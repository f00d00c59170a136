#include "support/lossbridge/bridge.h"

#include "os/clock.h"
#include "os/error_text.h"
#include "os/netif.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <sstream>
#include <utility>

namespace aoe::lossbridge {
namespace {

constexpr std::size_t kBatchFrames = 64;
constexpr std::size_t kFrameBytesMax = 65535 + 14;
constexpr std::size_t kEthernetHeaderBytes = 14;
constexpr std::size_t kSourceAt = 6;
constexpr std::size_t kPlacesMax = 4096;
constexpr std::size_t kVlanTagBytes = 4;
constexpr std::size_t kVlanTagAt = 12;
constexpr int kSocketBytes = 32 << 20;
// A frame that would wait longer than this for the rate is dropped, as a switch with that much
// buffer does.
constexpr Duration kQueueTimeMax = Duration::milliseconds(100);

std::int64_t wall_clock_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

// The VLAN tag that the kernel took off the frame, if any.
std::optional<tpacket_auxdata> find_tag(msghdr& message) {
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
       item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level == SOL_PACKET && item->cmsg_type == PACKET_AUXDATA) {
      tpacket_auxdata data{};
      std::memcpy(&data, CMSG_DATA(item), sizeof data);
      if ((data.tp_status & TP_STATUS_VLAN_VALID) != 0) {
        return data;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

// Memory for one recvmmsg call. A frame starts behind room for the tag it may get back.
struct Bridge::Batch {
  using Control = std::array<std::byte, CMSG_SPACE(sizeof(tpacket_auxdata))>;

  Batch() : memory(kBatchFrames * (kVlanTagBytes + kFrameBytesMax)) {}

  ByteSpan slot(std::size_t i) {
    return ByteSpan(memory).subspan(i * (kVlanTagBytes + kFrameBytesMax),
                                    kVlanTagBytes + kFrameBytesMax);
  }

  void prepare() {
    for (std::size_t i = 0; i < kBatchFrames; ++i) {
      const ByteSpan frame = slot(i).subspan(kVlanTagBytes);
      pieces[i] = {frame.data(), frame.size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = controls[i].data();
      messages[i].msg_hdr.msg_controllen = controls[i].size();
    }
  }

  // The received frame, with its VLAN tag back in place.
  ByteSpan frame(std::size_t i) {
    const ByteSpan whole = slot(i).first(kVlanTagBytes + messages[i].msg_len);
    const auto tag = find_tag(messages[i].msg_hdr);
    if (!tag || messages[i].msg_len < kVlanTagAt) {
      return whole.subspan(kVlanTagBytes);
    }
    std::copy_n(whole.begin() + kVlanTagBytes, kVlanTagAt, whole.begin());
    const bool has_type = (tag->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    store_be16(whole, kVlanTagAt, has_type ? tag->tp_vlan_tpid : std::uint16_t{ETH_P_8021Q});
    store_be16(whole, kVlanTagAt + 2, tag->tp_vlan_tci);
    return whole;
  }

  std::vector<std::byte> memory;
  std::array<mmsghdr, kBatchFrames> messages{};
  std::array<iovec, kBatchFrames> pieces{};
  alignas(cmsghdr) std::array<Control, kBatchFrames> controls{};
};

Result<std::unique_ptr<Bridge>> Bridge::open(runtime::EventLoop& loop, const Options& options) {
  if (options.interfaces.size() < 2) {
    return fail_with(Errc::invalid_argument, 0, "bridge: at least two interfaces are needed");
  }
  std::unique_ptr<Bridge> bridge(new Bridge(loop, options));
  if (!options.pcap_path.empty()) {
    AOE_TRY_ASSIGN(bridge->pcap_, net::PcapWriter::create({.path = options.pcap_path}));
  }
  if (!options.log_path.empty()) {
    AOE_TRY_ASSIGN(bridge->log_, DecisionLog::create(options.log_path));
  }
  for (const std::string& name : options.interfaces) {
    AOE_TRY(bridge->add_port(name));
  }
  return bridge;
}

Bridge::Bridge(runtime::EventLoop& loop, const Options& options)
    : loop_(loop),
      seed_(options.seed),
      learning_(options.learning),
      batch_(std::make_unique<Batch>()) {}

Bridge::~Bridge() {
  for (const auto& port : ports_) {
    loop_.remove_fd(port->socket.get());
  }
}

Result<void> Bridge::add_port(const std::string& name) {
  AOE_TRY_ASSIGN(const os::NetInterface interface, os::query_interface(name));
  auto port = std::make_unique<Port>();
  port->name = name;
  port->socket = os::Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!port->socket) {
    return fail(os::os_error(errno, fmt::format("{}: open packet socket", name)));
  }
  const int fd = port->socket.get();
  set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1);
  set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kSocketBytes);
  set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSocketBytes);
  packet_mreq promiscuous{};
  promiscuous.mr_ifindex = interface.index;
  promiscuous.mr_type = PACKET_MR_PROMISC;
  ::setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = interface.index;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return fail(os::os_error(errno, fmt::format("{}: bind packet socket", name)));
  }
  const std::size_t index = ports_.size();
  AOE_TRY(loop_.add_fd(fd, EPOLLIN, [this, index](std::uint32_t) { receive(index); }));
  ports_.push_back(std::move(port));
  return {};
}

Result<void> Bridge::command(const std::string& line) {
  std::istringstream words(line);
  std::string property;
  std::string value;
  words >> property >> value;
  std::string interface;
  if (property == "down" || property == "up" || property == "clear") {
    interface = std::exchange(value, "");
  } else if (const std::size_t equals = value.find('='); equals != std::string::npos) {
    interface = value.substr(0, equals);
    value = value.substr(equals + 1);
  }
  bool known = interface.empty();
  for (const auto& port : ports_) {
    if (interface.empty() || interface == port->name) {
      known = true;
      AOE_TRY(set_property(port->impairment, property, value));
    }
  }
  if (!known) {
    return fail_with(Errc::invalid_argument, 0, fmt::format("{}: not bridged here", interface));
  }
  if (log_) {
    log_->command(os::monotonic_now(), line);
  }
  return {};
}

void Bridge::receive(std::size_t from) {
  batch_->prepare();
  const int got = ::recvmmsg(ports_[from]->socket.get(), batch_->messages.data(), kBatchFrames,
                             MSG_DONTWAIT, nullptr);
  // An error is the interface going down; the next frame after it came back shows up by itself.
  const Instant now = os::monotonic_now();
  for (int i = 0; i < got; ++i) {
    handle(from, batch_->frame(static_cast<std::size_t>(i)), now);
  }
}

void Bridge::learn(std::size_t from, ConstByteSpan frame) {
  if (frame.size() < kEthernetHeaderBytes || places_.size() >= kPlacesMax) {
    return;
  }
  const MacAddress source = load_mac(frame, kSourceAt);
  if (!source.is_group()) {
    places_[source] = from;
  }
}

std::optional<std::size_t> Bridge::place_of(ConstByteSpan frame) const {
  if (learning_ == Learning::off || frame.size() < kEthernetHeaderBytes) {
    return std::nullopt;
  }
  const auto place = places_.find(load_mac(frame, 0));
  return place == places_.end() ? std::nullopt : std::optional(place->second);
}

template <typename... Args>
void Bridge::log(const Port& port, std::size_t bytes, fmt::format_string<Args...> decision,
                 Args&&... args) {
  if (log_) {
    log_->frame(os::monotonic_now(), port.name, port.counters.received - 1, bytes,
                fmt::format(decision, std::forward<Args>(args)...));
  }
}

void Bridge::handle(std::size_t from, ByteSpan frame, Instant now) {
  Port& port = *ports_[from];
  const Impairment& impairment = port.impairment;
  ++port.counters.received;
  if (impairment.down) {
    ++port.counters.blocked;
    return log(port, frame.size(), "blocked");
  }
  learn(from, frame);
  if (frame.size() > impairment.max_frame_bytes) {
    ++port.counters.black_holed;
    return log(port, frame.size(), "black-holed");
  }
  const Fate fate = decide_fate(impairment, seed_, from, port.counters.received - 1, frame.size());
  if (fate.lost) {
    ++port.counters.lost;
    return log(port, frame.size(), "lost");
  }
  if (fate.flipped_bit) {
    ++port.counters.flipped;
    frame[*fate.flipped_bit / 8] ^= std::byte{1} << (*fate.flipped_bit % 8);
    log(port, frame.size(), "flipped={}", *fate.flipped_bit);
  }
  for (std::uint32_t i = 0; i < fate.copies; ++i) {
    if (i > 0) {
      ++port.counters.duplicated;
      log(port, frame.size(), "duplicated");
    }
    forward_copy(from, frame, fate.copy[i], now);
  }
}

void Bridge::forward_copy(std::size_t from, ConstByteSpan frame, const Fate::Copy& copy,
                          Instant now) {
  Port& port = *ports_[from];
  const auto line = line_time(port, frame.size(), now);
  if (!line) {
    ++port.counters.queue_full;
    return log(port, frame.size(), "queue-full");
  }
  port.counters.reordered += copy.reordered ? 1 : 0;
  const Instant due = *line + copy.delay;
  if (due <= now) {
    log(port, frame.size(), "forwarded");
    return send(from, frame);
  }
  log(port, frame.size(), "delayed={}{}", (due - now).ns / 1000,
      copy.reordered ? " reordered" : "");
  delayed_.push({due, sequence_++, from, {frame.begin(), frame.end()}});
}

// When the line with its limited rate is through with the frame; nullopt when the frame does not
// fit into the queue in front of it.
std::optional<Instant> Bridge::line_time(Port& port, std::size_t bytes, Instant now) {
  const double rate_mbps = port.impairment.rate_mbps;
  if (rate_mbps <= 0) {
    return now;
  }
  const Instant start = std::max(now, port.rate_free_at);
  if (start - now > kQueueTimeMax) {
    return std::nullopt;
  }
  const double line_ns = static_cast<double>(bytes) * 8 * 1000 / rate_mbps;
  port.rate_free_at = start + Duration::nanoseconds(static_cast<std::int64_t>(line_ns));
  return port.rate_free_at;
}

void Bridge::send(std::size_t from, ConstByteSpan frame) {
  if (pcap_ && !pcap_->write(wall_clock_ns(), frame)) {
    pcap_.reset();
    fmt::print(stderr, "lossbridge: capture ended: the file cannot be written\n");
  }
  DirectionCounters& counters = ports_[from]->counters;
  const std::optional<std::size_t> place = place_of(frame);
  for (std::size_t to = 0; to < ports_.size(); ++to) {
    if (to == from || (place && to != *place)) {
      continue;
    }
    const int fd = ports_[to]->socket.get();
    ssize_t sent = ::send(fd, frame.data(), frame.size(), MSG_DONTWAIT);
    if (sent < 0 && errno == ENETDOWN) {
      // The socket may still report a time when the interface was down.
      sent = ::send(fd, frame.data(), frame.size(), MSG_DONTWAIT);
    }
    ++(sent < 0 ? counters.send_failed : counters.forwarded);
  }
}

std::optional<Instant> Bridge::next_due() const {
  return delayed_.empty() ? std::nullopt : std::optional(delayed_.top().due);
}

void Bridge::send_due(Instant now) {
  while (!delayed_.empty() && delayed_.top().due <= now) {
    send(delayed_.top().from, delayed_.top().frame);
    delayed_.pop();
  }
}

std::string Bridge::report() const {
  std::string text;
  for (const auto& port : ports_) {
    const DirectionCounters& c = port->counters;
    text += fmt::format(
        "{}: received={} forwarded={} lost={} duplicated={} reordered={} flipped={} "
        "black_holed={} blocked={} queue_full={} send_failed={}\n",
        port->name, c.received, c.forwarded, c.lost, c.duplicated, c.reordered, c.flipped,
        c.black_holed, c.blocked, c.queue_full, c.send_failed);
  }
  return text;
}

}  // namespace aoe::lossbridge
