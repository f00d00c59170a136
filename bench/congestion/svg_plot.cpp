#include "svg_plot.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace aoe::bench {
namespace {

constexpr double kWidth = 470;  // of a panel with its margins
constexpr double kHeight = 220;
constexpr double kLeft = 62;
constexpr double kRight = 26;
constexpr double kTop = 30;
constexpr double kBottom = 34;
constexpr double kHead = 62;
constexpr double kTimeTick = 20;  // seconds

class Drawing {
 public:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...);
  }

  void text(double x, double y, const char* anchor, const std::string& words,
            const char* style = "") {
    add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" {}>{}</text>\n", x, y, anchor, style,
        words);
  }

  void line(double x1, double y1, double x2, double y2, const std::string& colour, double width) {
    add("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
        "stroke-width=\"{}\"/>\n",
        x1, y1, x2, y2, colour, width);
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Where a panel's values lie on the paper.
class Axes {
 public:
  Axes(const Panel& panel, double x, double y, std::size_t seconds)
      : panel_(panel), x_(x + kLeft), y_(y + kTop), seconds_(static_cast<double>(seconds)) {}

  [[nodiscard]] double x(double second) const { return x_ + width() * second / seconds_; }

  [[nodiscard]] double y(double value) const {
    const double inside = std::clamp(value, panel_.low, panel_.high);
    const double share = panel_.scale == Panel::Scale::logarithmic
                             ? std::log(inside / panel_.low) / std::log(panel_.high / panel_.low)
                             : (inside - panel_.low) / (panel_.high - panel_.low);
    return y_ + height() * (1 - share);
  }

  [[nodiscard]] static double width() { return kWidth - kLeft - kRight; }

  [[nodiscard]] static double height() { return kHeight - kTop - kBottom; }

  [[nodiscard]] double left() const { return x_; }

  [[nodiscard]] double top() const { return y_; }

  [[nodiscard]] double bottom() const { return y_ + height(); }

 private:
  const Panel& panel_;
  double x_;
  double y_;
  double seconds_;
};

void draw_curve(Drawing& drawing, const Axes& axes, const Curve& curve) {
  std::string points;
  const auto flush = [&] {
    if (!points.empty()) {
      drawing.add("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\" points=\"{}\"/>\n",
                  curve.colour, points);
    }
    points.clear();
  };
  for (std::size_t i = 0; i < curve.values.size(); ++i) {
    if (const std::optional<double> value = curve.values[i]) {
      points += fmt::format("{:.1f},{:.1f} ", axes.x(static_cast<double>(i) + 0.5), axes.y(*value));
    } else {
      flush();
    }
  }
  flush();
}

void draw_panel(Drawing& drawing, const Panel& panel, double x, double y) {
  const std::size_t seconds = panel.curves.empty() ? 1 : panel.curves.front().values.size();
  const Axes axes(panel, x, y, seconds);
  drawing.text(axes.left(), axes.top() - 10, "start", panel.title, "font-weight=\"bold\"");
  for (const double tick : panel.ticks) {
    drawing.line(axes.left(), axes.y(tick), axes.left() + Axes::width(), axes.y(tick), "#ddd", 1);
    drawing.text(axes.left() - 6, axes.y(tick) + 4, "end", fmt::format("{}{}", tick, panel.unit));
  }
  for (double second = 0; second <= static_cast<double>(seconds); second += kTimeTick) {
    drawing.line(axes.x(second), axes.bottom(), axes.x(second), axes.bottom() + 4, "#444", 1);
    drawing.text(axes.x(second), axes.bottom() + 17, "middle", fmt::format("{} s", second));
  }
  drawing.line(axes.left(), axes.top(), axes.left(), axes.bottom(), "#444", 1);
  drawing.line(axes.left(), axes.bottom(), axes.left() + Axes::width(), axes.bottom(), "#444", 1);
  for (const Curve& curve : panel.curves) {
    draw_curve(drawing, axes, curve);
  }
}

}  // namespace

std::string svg_plot(const std::string& title, const std::vector<Panel>& panels,
                     std::size_t columns) {
  const std::size_t rows = (panels.size() + columns - 1) / columns;
  const double width = kWidth * static_cast<double>(columns);
  const double height = kHead + kHeight * static_cast<double>(rows);
  Drawing drawing;
  drawing.add(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      width, height);
  drawing.text(kLeft, 24, "start", title, "font-size=\"16\" font-weight=\"bold\"");
  double x = kLeft;
  for (const Curve& curve : panels.front().curves) {
    drawing.line(x, 42, x + 26, 42, curve.colour, 3);
    drawing.text(x + 32, 46, "start", curve.name);
    x += 50 + 7 * static_cast<double>(curve.name.size());
  }
  for (std::size_t i = 0; i < panels.size(); ++i) {
    draw_panel(drawing, panels[i], kWidth * static_cast<double>(i % columns),
               kHead + kHeight * static_cast<double>(i / columns));
  }
  drawing.add("</svg>\n");
  return drawing.take();
}

}  // namespace aoe::bench
