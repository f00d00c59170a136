// Panels of curves over one time axis, as an SVG text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace aoe::bench {

struct Curve {
  std::string name;
  std::string colour;                           // of CSS
  std::vector<std::optional<double>> values{};  // one a second; nothing where nothing was measured
};

struct Panel {
  enum class Scale : unsigned char { linear, logarithmic };

  std::string title;
  std::string unit;
  Scale scale = Scale::linear;
  double low = 0;  // of the axis; above 0 where it is logarithmic
  double high = 1;
  std::vector<double> ticks{};
  std::vector<Curve> curves{};  // drawn in this order
};

// Row by row, `columns` in each. The curves of the first panel make the legend.
[[nodiscard]] std::string svg_plot(const std::string& title, const std::vector<Panel>& panels,
                                   std::size_t columns);

}  // namespace aoe::bench
