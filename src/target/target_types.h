// The values that go into and come out of a target core.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/packet_buffer.h"
#include "base/store_op.h"
#include "base/time.h"
#include "protocol/aoe_ata.h"
#include "target/service_queue.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aoe::target {

// Bounds of one core. Every table is allocated from them in the constructor; what happens when one
// is full stands beside it.
struct TargetLimits {
  std::uint16_t requests_max = 1024;  // ATA requests at once; more are dropped, initiators resend
  std::uint16_t initiators_max =
      1024;                            // addresses with statistics; the longest idle one makes room
  std::uint16_t changes_max = 32;      // state changes on their way to disk; more are dropped
  std::uint16_t discoveries_max = 32;  // wildcard queries being answered; more are dropped
  // Of initiators of our own kind; the longest idle one makes room, once it was idle for a frame
  // life, and is begun anew when it comes back. Until then hellos of others are dropped. Memory is
  // used for sessions that are in use only: 32 bytes for each of the window.
  std::uint16_t sessions_max = 1024;
  // Sequences a session may use from its lowest open one on; what is beyond is dropped. A lost
  // frame holds the lowest back for a retransmission time, and meanwhile the others need room.
  std::uint32_t sequence_window = 1024;  // a power of two
  std::uint16_t exports_max = 4096;      // adding more is refused
  std::uint8_t ports_max = 32;           // adding more is refused
  // Places of 16 KiB that remember when Linux hosts wrote there, for two frame lives; writes of
  // such hosts elsewhere are dropped while all are taken. 176 bytes each, of those that are used.
  std::uint32_t write_stamps_max = 65'536;
  // Answers that carry no disk data (config, mask, reserve, errors): a flood of queries must not
  // become a flood of answers.
  std::uint32_t light_replies_per_second = 50'000;
  std::uint32_t light_replies_burst = 4'096;
  Duration probe_time = Duration::milliseconds(250);  // listening for our address before serving
  Duration probe_again = Duration::seconds(10);       // after somebody else answered
  Duration backend_deadline = Duration::seconds(30);  // a store operation that takes longer hangs
  Duration error_burst = Duration::seconds(1);        // at most one event of a kind in this time
  // How long a frame may exist in the network, at most 10 s: half a turn of the fastest clock in
  // Linux tags is 32 s. 0: nothing is done about writes of plain initiators that come late.
  Duration frame_life = Duration::seconds(1);
};

// How many places of those tables are in use.
struct TargetUse {
  std::size_t requests = 0;
  std::size_t initiators = 0;
  std::size_t changes = 0;
  std::size_t discoveries = 0;
  std::size_t sessions = 0;
  std::size_t exports = 0;
  std::size_t write_stamps = 0;
};

enum class WriteMode : std::uint8_t {
  write_through,  // a reply to a write means that it survives a power cut
  write_back,     // it may be lost until a FLUSH was answered; IDENTIFY says so
  read_only,
};

enum class AllowPolicy : std::uint8_t { any, listed };

// Who of those that are allowed may change config string, mask and reservation by wire.
enum class RemoteAdmin : std::uint8_t {
  initiators,  // everybody who may use the export
  none,
  listed,  // these, and the mask never shuts them out
};

// How an export looks and behaves. Plain data from the configuration and the opened store. Lists
// and texts come last: requests look at the rest.
struct ExportSettings {
  DeviceAddress address;
  std::uint64_t sector_count = 0;  // < 2^48
  WriteMode mode = WriteMode::write_through;
  std::uint16_t buffer_count = 64;  // advertised, >= 2 (the Linux driver stalls on 1)
  AllowPolicy allow_policy = AllowPolicy::any;
  RemoteAdmin remote_admin = RemoteAdmin::initiators;
  std::uint32_t port_mask = 0xFFFFFFFF;  // bit n: served on port n
  // What the store can do and is.
  bool can_discard = false;
  bool discard_reads_zero = false;
  std::uint32_t physical_block_bytes = 512;
  bool is_rotational = false;
  bool starts_online = true;
  // Sessions whose commands are executed once.
  bool has_duplicate_memory = true;
  // Writes of Linux hosts that are older than what was executed are dropped.
  bool has_stale_write_guard = true;
  // Who is served when not everybody can be.
  ServiceSettings service;
  // After the export begins to serve, writes of plain initiators are dropped for so long: frames
  // that were meant for an earlier start may still arrive.
  Duration hold_plain_writes;
  // Told to our own initiators: another number than before says that what was answered but not
  // flushed may be gone. 0: one of its own for each core, for stores that do not outlive it.
  std::uint64_t cache_epoch = 0;
  std::vector<MacAddress> allow;   // with AllowPolicy::listed
  std::vector<MacAddress> admins;  // with RemoteAdmin::listed
  std::string model = "aoekit";    // IDENTIFY, at most 40 characters
  std::string serial;              // at most 20; empty = made from the state's identity
};

enum class ExportState : std::uint8_t {
  probing,   // listening whether somebody else has the address
  conflict,  // somebody has; probed again from time to time
  online,
  offline,   // by order: ATA commands get "device unavailable", discovery gets silence
  removing,  // no new requests; gone when the last one has finished
};

enum class ExportHealth : std::uint8_t {
  ok,
  stalled,  // the store has not answered for backend_deadline: no new disk requests
  failed,   // data that was accepted could not be made stable: writes get DEVICE FAULT
};

struct ExportStoreOp {
  ExportId export_id;
  StoreOp op;
};

struct TxFrame {
  PortId port;
  PacketBuffer frame;
};

// A state blob to put on stable storage; answered with TargetCore::handle_state_saved.
struct StateSave {
  ExportId export_id;
  DeviceAddress address;
  std::uint64_t generation = 0;
  std::vector<std::byte> bytes;
};

enum class EventKind : std::uint8_t {
  export_ready,      // serves; value = sectors
  address_conflict,  // mac answered for our address
  foreign_target,    // mac announced our address while we serve
  export_removed,    // the last request has finished; the store may be closed
  store_error,       // store_error, lba, value = errors in this burst so far
  export_failed,     // a sync failed: writes are refused from now on
  backend_stalled,   // an operation has taken longer than backend_deadline
  backend_recovered,
  admin_refused,        // mac may not change state; value = AoE command
  config_changed,       // by mac
  mask_changed,         // by mac; value = entries
  reservation_changed,  // by mac; value = entries
  state_save_failed,    // a change was refused because it could not be stored
  size_changed,         // value = sectors
  self_test_started,    // value = protocol::SmartTestKind
  self_test_ended,      // value = its status as in the log, lba = what could not be read
  frame_damaged,        // a sealed frame from mac has a wrong CRC; value = since the last report
};

struct TargetEvent {
  EventKind kind = EventKind::export_ready;
  ExportId export_id;
  DeviceAddress address;
  MacAddress mac;
  PortId port;
  StoreErrc store_error = StoreErrc::ok;
  Lba lba;
  std::uint64_t value = 0;
  // Of frame_damaged: the frame up to its data, as it arrived.
  std::array<std::byte, protocol::kAtaHeaderBytes> frame_head{};
};

[[nodiscard]] const char* export_state_name(ExportState state);
[[nodiscard]] const char* export_health_name(ExportHealth health);
[[nodiscard]] const char* write_mode_name(WriteMode mode);

}  // namespace aoe::target
