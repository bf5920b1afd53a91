// Metrics in the text form of Prometheus, version 0.0.4.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sluice::interop::sfu {

inline constexpr const char* kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

class PrometheusText {
 public:
  struct Label {
    std::string_view name;
    std::string_view value;  // any text
  };

  // Begins a metric. A counter's name ends in "_total". `help` is any text.
  void counter(std::string_view name, std::string_view help) { begin(name, "counter", help); }
  void gauge(std::string_view name, std::string_view help) { begin(name, "gauge", help); }
  // A value of the metric that was begun last. Each has other labels.
  void add(std::uint64_t value, std::initializer_list<Label> labels = {});
  void add(double value, std::initializer_list<Label> labels = {});

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void begin(std::string_view name, std::string_view type, std::string_view help);
  void add_text(std::string_view value, std::initializer_list<Label> labels);

  std::string name_;
  std::string text_;
};

}  // namespace sluice::interop::sfu
