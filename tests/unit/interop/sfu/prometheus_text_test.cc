#include "sfu/operations/prometheus_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace sluice::interop::sfu {
namespace {

TEST(PrometheusText, HasHelpTypeAndValues) {
  PrometheusText out;
  out.counter("things_total", "Things.");
  out.add(std::uint64_t{3});
  out.gauge("heat_celsius", "Heat.");
  out.add(-1.5, {{"room", "hall"}, {"floor", "1"}});
  out.add(0.25, {{"room", "attic"}, {"floor", "2"}});
  EXPECT_EQ(out.text(),
            "# HELP things_total Things.\n"
            "# TYPE things_total counter\n"
            "things_total 3\n"
            "# HELP heat_celsius Heat.\n"
            "# TYPE heat_celsius gauge\n"
            "heat_celsius{room=\"hall\",floor=\"1\"} -1.5\n"
            "heat_celsius{room=\"attic\",floor=\"2\"} 0.25\n");
}

TEST(PrometheusText, EscapesWhatHasAMeaning) {
  PrometheusText out;
  out.gauge("g", "A \"back\\slash\"\nand a line.");
  out.add(std::uint64_t{0}, {{"label", "a \"quote\", a \\ and\na line"}});
  EXPECT_EQ(out.text(),
            "# HELP g A \"back\\\\slash\"\\nand a line.\n"
            "# TYPE g gauge\n"
            "g{label=\"a \\\"quote\\\", a \\\\ and\\na line\"} 0\n");
}

TEST(PrometheusText, WritesEveryNumber) {
  using Real = std::numeric_limits<double>;
  PrometheusText out;
  out.gauge("g", "");
  out.add(std::numeric_limits<std::uint64_t>::max());
  out.add(1e-9);
  out.add(Real::infinity());
  out.add(-Real::infinity());
  out.add(Real::quiet_NaN());
  EXPECT_EQ(out.text(),
            "# HELP g \n# TYPE g gauge\n"
            "g 18446744073709551615\ng 1e-09\ng +Inf\ng -Inf\ng NaN\n");
}

}  // namespace
}  // namespace sluice::interop::sfu
