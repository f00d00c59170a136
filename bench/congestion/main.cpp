// Hosts that share a shelf of spinning disks, with our initiator and with a model of the Linux
// driver: a table, and the plot of docs/CONGESTION.md.
#include "sim/congestion/scenario.h"
#include "svg_plot.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>

namespace {

using aoe::bench::Curve;
using aoe::bench::Panel;
using aoe::sim::CongestionOptions;
using aoe::sim::CongestionReport;
using aoe::sim::DriverKind;

struct Run {
  std::uint16_t hosts = 0;
  DriverKind driver = DriverKind::core;
  CongestionReport report;
};

const char* driver_name(DriverKind driver) {
  return driver == DriverKind::core ? "aoekit" : "model of the Linux driver";
}

double milliseconds(aoe::Duration time) {
  return static_cast<double>(time.ns) / 1e6;
}

void print_table(const std::vector<Run>& runs) {
  fmt::print("{:>5}  {:<25} {:>8} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>6}\n", "hosts",
             "initiator", "goodput", "sent again", "needless", "Jain", "p50 ms", "p99 ms", "max ms",
             "queue");
  for (const Run& run : runs) {
    const CongestionReport& report = run.report;
    fmt::print(
        "{:>5}  {:<25} {:>7.1f}% {:>9.2f}% {:>8.3f}% {:>7.3f} {:>9.0f} {:>9.0f} {:>9.0f} "
        "{:>6.1f}\n",
        run.hosts, driver_name(run.driver), 100 * report.goodput(),
        100 * report.retransmission_ratio(), 100 * report.needless_ratio(), report.jain,
        milliseconds(report.latency_p50), milliseconds(report.latency_p99),
        milliseconds(report.latency_max), report.held_mean);
  }
}

template <class Value>
Panel panel_of(const std::vector<Run>& runs, std::uint16_t hosts, Panel panel, Value value) {
  for (const Run& run : runs) {
    if (run.hosts != hosts) {
      continue;
    }
    Curve curve{.name = driver_name(run.driver),
                .colour = run.driver == DriverKind::core ? "#0072b2" : "#d55e00"};
    for (const CongestionReport::Second& second : run.report.seconds) {
      curve.values.push_back(value(run.report, second));
    }
    panel.curves.push_back(std::move(curve));
  }
  panel.title = fmt::format("{} hosts: {}", hosts, panel.title);
  return panel;
}

std::vector<Panel> panels_of(const std::vector<Run>& runs,
                             const std::vector<std::uint16_t>& hosts) {
  std::vector<Panel> panels;
  using Second = CongestionReport::Second;
  using Maybe = std::optional<double>;
  for (const std::uint16_t count : hosts) {
    panels.push_back(
        panel_of(runs, count,
                 {.title = "answers, of what the disks can do",
                  .unit = " %",
                  .high = 125,
                  .ticks = {0, 25, 50, 75, 100}},
                 [](const CongestionReport& report, const Second& second) -> Maybe {
                   return 100 * static_cast<double>(second.answered * report.seconds.size()) /
                          static_cast<double>(report.capacity);
                 }));
  }
  for (const std::uint16_t count : hosts) {
    panels.push_back(panel_of(runs, count,
                              {.title = "retransmissions, of the frames sent",
                               .unit = " %",
                               .high = 100,
                               .ticks = {0, 25, 50, 75, 100}},
                              [](const CongestionReport&, const Second& second) -> Maybe {
                                if (second.sent == 0) {
                                  return std::nullopt;
                                }
                                return 100 * static_cast<double>(second.retransmitted) /
                                       static_cast<double>(second.sent);
                              }));
  }
  for (const std::uint16_t count : hosts) {
    panels.push_back(panel_of(runs, count,
                              {.title = "99th percentile of the time to the answer",
                               .unit = " s",
                               .scale = Panel::Scale::logarithmic,
                               .low = 0.01,
                               .high = 200,
                               .ticks = {0.01, 0.1, 1, 10, 100}},
                              [](const CongestionReport&, const Second& second) -> Maybe {
                                if (second.answered == 0) {
                                  return std::nullopt;
                                }
                                return milliseconds(second.latency_p99) / 1000;
                              }));
  }
  return panels;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Hosts that share a shelf of spinning disks, in simulated time");
  CongestionOptions options;
  std::vector<std::uint16_t> hosts{4, 64};
  std::string svg;
  double loss_percent = 0;
  bool is_flash = false;
  app.add_option("--hosts", hosts, "how many, one run each")->check(CLI::Range(1, 256));
  app.add_option("--slots", options.slots, "of the shelf, a disk each")->check(CLI::Range(1, 16));
  app.add_option("--buffers", options.buffers, "frames that the target holds")
      ->check(CLI::Range(1, 4096));
  app.add_option("--seconds", options.seconds, "of simulated time")->check(CLI::Range(1, 3600));
  app.add_option("--loss", loss_percent, "percent of the requests that are lost by chance")
      ->check(CLI::Range(0.0, 50.0));
  app.add_option("--seed", options.seed, "of everything that is chance");
  app.add_option("--svg", svg, "file for a plot");
  app.add_flag("--flash", is_flash, "disks without a queue of their own");
  CLI11_PARSE(app, argc, argv);
  if (is_flash) {
    options.disk = CongestionOptions::flash_disk();
  }
  options.request_loss_ppm = static_cast<std::uint32_t>(loss_percent * 1e4);

  std::vector<Run> runs;
  for (const std::uint16_t count : hosts) {
    for (const DriverKind driver : {DriverKind::linux_model, DriverKind::core}) {
      options.hosts = count;
      options.driver = driver;
      runs.push_back({count, driver, aoe::sim::run_congestion(options)});
    }
  }
  print_table(runs);
  if (svg.empty()) {
    return 0;
  }
  std::ofstream file(svg);
  file << aoe::bench::svg_plot(fmt::format("{} spinning disks, room for {} frames, {} links",
                                           options.slots, options.buffers, options.fabrics.size()),
                               panels_of(runs, hosts), hosts.size());
  file.close();
  if (!file) {
    fmt::print(stderr, "aoe-congestion: {}: cannot be written\n", svg);
    return 1;
  }
  return 0;
}
