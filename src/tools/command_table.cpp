#include "tools/command_table.h"

#include "tools/bench.h"
#include "tools/boot_device.h"
#include "tools/config.h"
#include "tools/conform/conform.h"
#include "tools/copy.h"
#include "tools/devices.h"
#include "tools/discover.h"
#include "tools/events.h"
#include "tools/identify.h"
#include "tools/label.h"
#include "tools/mask.h"
#include "tools/ping.h"
#include "tools/reserve.h"
#include "tools/smart.h"
#include "tools/target.h"
#include "tools/target_freeze.h"
#include "tools/target_overlay.h"
#include "tools/target_scrub.h"
#include "tools/target_snapshot.h"
#include "tools/top.h"
#include "tools/version.h"
#include "tools/wire.h"

#include <array>

namespace aoe::tools {
namespace {

constexpr std::array kGroups{
    CommandGroup{"target", "Ask and steer the target daemon"},
    CommandGroup{"wire", "Look at frames"},
    CommandGroup{"label", "Look at the labels of disks, and write new ones"},
};

constexpr std::array kCommands{
    CommandEntry{"", "discover", "List the targets that answer", make_discover_command},
    CommandEntry{"", "ping", "Time a device's answers", make_ping_command},
    CommandEntry{"", "identify", "Show what a disk says about itself", make_identify_command},
    CommandEntry{"", "config", "Read, test or set the config string", make_config_command},
    CommandEntry{"", "mask", "Show or edit who may talk to a device", make_mask_command},
    CommandEntry{"", "reserve", "Show, take or release a reservation", make_reserve_command},
    CommandEntry{"", "smart", "Show the health of a disk", make_smart_command},
    CommandEntry{"", "copy", "Copy an image to a device or from one", make_copy_command},
    CommandEntry{"", "bench", "Measure a device", make_bench_command},
    CommandEntry{"", "conform", "Say what a target does right, wrong and dangerously",
                 make_conform_command},
    CommandEntry{"", "boot-device", "Show the disk that this machine was booted from",
                 make_boot_device_command},
    CommandEntry{"", "list", "List the devices that the initiator daemon keeps", make_list_command},
    CommandEntry{"", "show", "Show all of a device", make_show_command},
    CommandEntry{"", "paths", "Show the paths to a device", make_paths_command},
    CommandEntry{"", "stats", "Show counters of devices and interfaces", make_stats_command},
    CommandEntry{"", "events", "Show what happened to devices", make_events_command},
    CommandEntry{"", "top", "Watch devices and paths at work", make_top_command},
    CommandEntry{"", "wait", "Wait until a device is up", make_wait_command},
    CommandEntry{"", "attach", "Make a block device of a device", make_attach_command},
    CommandEntry{"", "detach", "Take the block device away again", make_detach_command},
    CommandEntry{"", "revalidate", "Ask a device again what it is", make_revalidate_command},
    CommandEntry{"", "flush", "Forget devices", make_flush_command},
    CommandEntry{"", "interfaces", "Show or set the interfaces in use", make_interfaces_command},
    CommandEntry{"", "enable", "Use a device again", make_enable_command},
    CommandEntry{"", "disable", "Leave a device alone", make_disable_command},
    CommandEntry{"", "reload", "Apply a changed config file of the initiator daemon",
                 make_reload_command},
    CommandEntry{"", "stop", "Stop the initiator daemon", make_stop_command},
    CommandEntry{"label", "show", "Show the label and the slices of a disk",
                 make_label_show_command},
    CommandEntry{"label", "init", "Write a Solaris label to a disk", make_label_init_command},
    CommandEntry{"label", "erase", "Take the labels of a disk away", make_label_erase_command},
    CommandEntry{"wire", "decode", "Print captured frames as text", make_wire_decode_command},
    CommandEntry{"target", "list", "List the exports", make_target_list_command},
    CommandEntry{"target", "show", "Show all of an export", make_target_show_command},
    CommandEntry{"target", "export", "Export a store", make_target_export_command},
    CommandEntry{"target", "unexport", "Stop exporting", make_target_unexport_command},
    CommandEntry{"target", "online", "Let an export answer again", make_target_online_command},
    CommandEntry{"target", "offline", "Let an export refuse everything",
                 make_target_offline_command},
    CommandEntry{"target", "move", "Give an export another address", make_target_move_command},
    CommandEntry{"target", "resize", "Grow an export", make_target_resize_command},
    CommandEntry{"target", "freeze", "Keep what is in the store as it is",
                 make_target_freeze_command},
    CommandEntry{"target", "thaw", "Put into the store what was written meanwhile",
                 make_target_thaw_command},
    CommandEntry{"target", "backup", "Copy an export as it is at one moment",
                 make_target_backup_command},
    CommandEntry{"target", "clone", "Copy an export as it is at one moment, and export the copy",
                 make_target_clone_command},
    CommandEntry{"target", "scrub", "Look for rot", make_target_scrub_command},
    CommandEntry{"target", "snapshot", "Take, show or delete snapshots",
                 make_target_snapshot_command},
    CommandEntry{"target", "overlay", "Show, empty, drop or commit the layers of initiators",
                 make_target_overlay_command},
    CommandEntry{"target", "reload", "Apply a changed config file", make_target_reload_command},
    CommandEntry{"target", "stats", "Show counters", make_target_stats_command},
    CommandEntry{"target", "events", "Follow what happens to exports", make_target_events_command},
    CommandEntry{"", "version", "Show the version", make_version_command},
};

}  // namespace

std::span<const CommandGroup> command_groups() {
  return kGroups;
}

std::span<const CommandEntry> command_table() {
  return kCommands;
}

}  // namespace aoe::tools
